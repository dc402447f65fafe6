"""Run as `python3 -m worker`: wait for jobs and do them until the process is told to stop."""

import logging
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from shared import baggage, connecting, logs, settings, tracing
from shared.severing import sever
from shared.waits import whole_ms

from worker import jobs
from worker.cluster import ClusterError
from worker.health import HEARTBEAT
from worker.places import places
from worker.waits import Waits

log = logging.getLogger("worker")


def connect(waits: Waits) -> jobs.Connection:
    """Connect to the database; raises psycopg.OperationalError."""
    options = (
        f"-c lock_timeout={whole_ms(waits.lock_s)}"
        f" -c statement_timeout={whole_ms(waits.statement_s)}"
        # When this worker is killed in the middle, the database notices at once, even while the
        # statement waits for a lock, and the job is free again.
        f" -c client_connection_check_interval={whole_ms(waits.client_check_s)}"
        f" -c idle_in_transaction_session_timeout={whole_ms(waits.idle_s)}"
    )
    url = settings.text("DATABASE_URL")
    return connecting.connect(
        url, autocommit=True, connect_timeout=waits.connect_s, options=options
    )


def work_in_time(
    waits: Waits, queue: jobs.Connection, announcer: jobs.Connection, where: jobs.Places
) -> bool:
    """Do a job as `jobs.work`; raises psycopg.OperationalError when it takes too long."""
    with severed_after(waits.job_s, queue, announcer):
        return jobs.work(queue, announcer, where)


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


def serve(waits: Waits, where: jobs.Places) -> None:
    """Do jobs until something goes wrong, which raises psycopg.Error: mostly a lost connection.

    Raises ClusterError where the cluster in which instances are to be does not answer, or refuses.
    """
    with connect(waits) as queue, connect(waits) as listener:
        with tracing.quiet():
            listener.execute("LISTEN instances_jobs")
        log.info("listening")
        while True:
            HEARTBEAT.touch()
            # Listening came first: a job that is queued after the last look is notified.
            while work_in_time(waits, queue, listener, where):
                HEARTBEAT.touch()
            for _ in listener.notifies(timeout=waits.turn_s, stop_after=1):
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
    waits, losses = Waits.from_environment(), 0
    where = jobs.Places(places(), waits.cluster_s)
    try:
        while True:
            connected_at = time.monotonic()
            try:
                serve(waits, where)
            except (psycopg.Error, ClusterError) as error:
                # Also a statement that failed: the job is free again, and its attempts are counted.
                losses = 0 if time.monotonic() - connected_at > waits.turn_s else losses + 1
                delay_s = waits.pause_s(losses)
                reason = f"{type(error).__name__}: {error}".strip()
                log.warning("interrupted", extra={"reason": reason, "again_in_s": delay_s})
                baggage.begin_job("")
                if HEARTBEAT.exists():  # else it has never listened, and is not ready
                    HEARTBEAT.touch()
                time.sleep(delay_s)
    except Stopped:
        log.info("stopped")
    finally:
        tracing.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
