"""A process whose folder of records is filled, or removed, while it runs."""

import shutil
import sys
from pathlib import Path

what, folder = sys.argv[1:]
if what == "fill":
    try:
        with Path(folder, "filler").open("wb", buffering=0) as filler:
            while True:
                filler.write(bytes(4096))
    except OSError:
        pass
elif what == "remove":
    while Path(folder).exists():  # a record may come while it is being emptied
        shutil.rmtree(folder, ignore_errors=True)
# More than there may be room for behind the last record.
exec(compile("x = 1\n" * 40_000, "/app/long.py", "exec"))
print("served")
