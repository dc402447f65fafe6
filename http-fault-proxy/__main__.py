"""Run as `python3 -I /app`: isolated, so that no tracer or spy comes into the equipment."""

import asyncio
import sys
from pathlib import Path

from httpfaults.service import edges_of, serve

CONTROL = ("0.0.0.0", 8475)

if __name__ == "__main__":
    asyncio.run(serve(edges_of(Path(sys.argv[1])), CONTROL))
