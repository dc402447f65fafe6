"""Healthcheck: exit with 0 when the main loop touched the heartbeat file a moment ago.

Run as `python3 -I -S health.py`, so it imports nothing of the service.
"""

import os
import sys
import time
from pathlib import Path

HEARTBEAT = Path("/tmp/heartbeat")
# The longest that a turn of the main loop may take: a job, in jobs, and some more.
STALE_JOBS = 1.6


def healthy(heartbeat: Path, job_s: float) -> bool:
    """Return whether `heartbeat` is there and young."""
    try:
        return time.time() - heartbeat.stat().st_mtime < STALE_JOBS * job_s
    except FileNotFoundError:
        return False


if __name__ == "__main__":
    sys.exit(0 if healthy(HEARTBEAT, float(os.environ["JOB_S"])) else 1)
