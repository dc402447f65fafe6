"""Run as `python3 -m worker`: wait for jobs and do them until the process is told to stop."""

import logging
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from shared import baggage, logs, settings
from shared.severing import sever

from worker import jobs
from worker.health import HEARTBEAT

# The wait for a notification ends after this time, too: for the heartbeat, and for a job that was
# held by a worker that has died since, about which nobody notifies.
TURN_S = 2.0
# A job that takes longer is given up, and tried again over new connections: the database may be
# behind a network that drops everything, and tells nobody. Shorter than the heartbeat may be old.
JOB_S = 12.0
RECONNECT_S = (0.1, 0.2, 0.5, 1.0)

# client_connection_check_interval: when this worker is killed in the middle, the database notices
# at once, even while the statement waits for a lock, and the job is free again.
_OPTIONS = (
    "-c lock_timeout=10s -c statement_timeout=12s -c client_connection_check_interval=250"
    " -c idle_in_transaction_session_timeout=15s"
)

log = logging.getLogger("worker")


def connect(*, autocommit: bool) -> jobs.Connection:
    """Connect to the database; raises psycopg.OperationalError."""
    url = settings.text("DATABASE_URL")
    return psycopg.connect(url, autocommit=autocommit, options=_OPTIONS)


def work_in_time(queue: jobs.Connection, announcer: jobs.Connection) -> bool:
    """Do a job as `jobs.work`; raises psycopg.OperationalError when it takes too long."""
    with severed_after(JOB_S, queue, announcer):
        return jobs.work(queue, announcer)


@contextmanager
def severed_after(delay_s: float, *connections: jobs.Connection) -> Iterator[None]:
    """End connections that are still in use in the block after a time."""

    def sever_all() -> None:
        for conn in connections:
            sever(conn)

    timer = threading.Timer(delay_s, sever_all)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()  # the connections may be closed after the block


def serve() -> None:
    """Do jobs until something goes wrong, which raises psycopg.Error: mostly a lost connection."""
    with connect(autocommit=True) as queue, connect(autocommit=True) as listener:
        listener.execute("LISTEN instances_jobs")
        log.info("listening")
        while True:
            HEARTBEAT.touch()
            # Listening came first: a job that is queued after the last look is notified.
            while work_in_time(queue, listener):
                HEARTBEAT.touch()
            for _ in listener.notifies(timeout=TURN_S, stop_after=1):
                pass


class Stopped(BaseException):
    """The process was told to stop.

    No KeyboardInterrupt: upon that psycopg asks the database to cancel the statement, and waits
    for its answer, which may never come.
    """


def stop(*_: object) -> None:
    """Stop, wherever the process is; the handler of a signal."""
    raise Stopped


def main() -> int:
    """Serve for ever; return 0 when the process was told to stop."""
    logs.configure("worker")
    # As PID 1 the process has no default handler. The open transaction is rolled back, which frees
    # its job: stopping is nothing but a crash with manners.
    signal.signal(signal.SIGTERM, stop)
    losses = 0
    try:
        while True:
            connected_at = time.monotonic()
            try:
                serve()
            except psycopg.Error as error:
                # Also a statement that failed: the job is free again, and its attempts are counted.
                losses = 0 if time.monotonic() - connected_at > TURN_S else losses + 1
                delay_s = RECONNECT_S[min(losses, len(RECONNECT_S) - 1)]
                reason = f"{type(error).__name__}: {error}".strip()
                log.warning("interrupted", extra={"reason": reason, "again_in_s": delay_s})
                baggage.begin_job("")
                if HEARTBEAT.exists():  # else it has never listened, and is not ready
                    HEARTBEAT.touch()
                time.sleep(delay_s)
    except Stopped:
        log.info("stopped")
    return 0


if __name__ == "__main__":
    sys.exit(main())
