"""Python's compiled files, made once: most tests start a process, and each would compile it all.

Where PYTHONDONTWRITEBYTECODE is set, as on many CI machines, nothing that is imported is kept, and
pytest parses and rewrites all modules of its plugins at each start: two seconds instead of half.
"""

from __future__ import annotations

import compileall
import os
import subprocess
import tempfile
from pathlib import Path


def keep_source(folder: Path) -> None:
    """Compile what stands in a folder, unless it has been."""
    compileall.compile_dir(folder, quiet=1)


def keep_plugins(python: Path) -> None:
    """Let pytest of an environment keep what it makes of its plugins' modules."""
    environ = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    command = [str(python), "-m", "pytest", "-q", "--collect-only", "."]
    with tempfile.TemporaryDirectory() as empty:
        subprocess.run(command, cwd=empty, env=environ, stdout=subprocess.DEVNULL, check=False)
