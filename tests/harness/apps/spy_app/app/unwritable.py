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
    # Out of the way at once: a record that came while it is being emptied would get a new file.
    shutil.rmtree(Path(folder).rename(folder + ".gone"))
# More than there may be room for behind the last record.
exec(compile("x = 1\n" * 40_000, "/app/long.py", "exec"))
print("served")
