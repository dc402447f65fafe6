"""Start the spy where Python has found another sitecustomize before ours, such as OpenTelemetry's.

Python imports a module of this name after that one, but in virtual environments. Where ours was
run, its folder is on the path no more, and nobody finds this.
"""

import os

# As this module, which is the one that the next of its kind comes after.
_SITECUSTOMIZE = os.path.join(  # noqa: PTH118
    os.path.dirname(os.path.abspath(__file__)),  # noqa: PTH100, PTH120 - pathlib is slow to load
    "sitecustomize.py",
)
with open(_SITECUSTOMIZE, encoding="ascii") as _file:  # noqa: PTH123
    exec(compile(_file.read(), _SITECUSTOMIZE, "exec"))
