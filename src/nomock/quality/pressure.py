"""A machine that is busy: so many processes that do nothing but count, for as long as a block."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

# It ends with the process that started it, however that ended.
_BUSY = "import os\nparent = os.getppid()\nwhile os.getppid() == parent: pass"


@contextmanager
def busy_cores(processes: int) -> Iterator[None]:
    """Keep the cores busy with so many processes in the block."""
    with ExitStack() as started:
        for _ in range(processes):
            process = subprocess.Popen([sys.executable, "-S", "-c", _BUSY])
            started.callback(process.wait)
            started.callback(process.kill)
        yield
