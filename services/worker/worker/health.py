"""Healthcheck: exit with 0 when the main loop touched the heartbeat file a moment ago.

Run as `python3 -I -S health.py`, so it imports nothing of the service.
"""

import sys
import time
from pathlib import Path

HEARTBEAT = Path("/tmp/heartbeat")
# The longest that a turn of the main loop may take: a job that waits for a lock, and some more.
STALE_S = 20.0


def healthy(heartbeat: Path) -> bool:
    """Return whether `heartbeat` is there and young."""
    try:
        return time.time() - heartbeat.stat().st_mtime < STALE_S
    except FileNotFoundError:
        return False


if __name__ == "__main__":
    sys.exit(0 if healthy(HEARTBEAT) else 1)
