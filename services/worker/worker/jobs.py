"""One job: claim it, announce it, do it; all that counts happens in one transaction.

Two connections. `queue` holds the transaction in which the job is claimed, done and ticked off;
when the worker dies, it is rolled back, and the job is free for the next. `announcer` commits at
once, so that everybody sees that an instance is being provisioned while that transaction is open.
"""

import logging
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
from shared import baggage, tracing

from worker.cluster import RefusedError
from worker.places import Place, Rack

Connection = psycopg.Connection[tuple[Any, ...]]

# A job that takes its worker down each time must not be tried for ever.
MAX_ATTEMPTS = 5

log = logging.getLogger("worker.jobs")


@dataclass(frozen=True)
class Job:
    """A job that this worker alone holds."""

    job_id: int
    instance_id: UUID
    kind: str
    baggage: str
    traceparent: str
    size: str


@dataclass(frozen=True)
class Places:
    """Where instances are."""

    by_size: Mapping[str, Place]
    within_s: float
    """How long it may take to make one."""

    def of(self, job: Job) -> Place:
        """Return where the instance of a job is, or is to be."""
        return self.by_size.get(job.size) or Rack()


def work(queue: Connection, announcer: Connection, places: Places) -> bool:
    """Do the oldest job that nobody holds; return whether there was one.

    Raises ClusterError where its place did not do it: then the job is free, for the next attempt.
    """
    # The job's span ends after its transaction, and after the line in the log.
    with ExitStack() as span:
        with queue.transaction():
            with tracing.quiet():  # as long as there is no job it would be nobody's
                job = claim(queue)
            if job is None:
                return False
            baggage.begin_job(job.baggage)
            span.enter_context(
                tracing.process("instances.jobs", job.kind, job.traceparent, job.job_id)
            )
            if job.kind == "provision":
                outcome = provision(queue, job, announce(announcer, job), places)
            else:
                outcome = deprovision(queue, job, places.of(job))
            queue.execute(
                "UPDATE instances.jobs SET done_at = now() WHERE job_id = %s", [job.job_id]
            )
        log.info(outcome, extra={"job_id": job.job_id, "instance_id": str(job.instance_id)})
    baggage.begin_job("")
    return True


def claim(queue: Connection) -> Job | None:
    """Lock the oldest open job for the transaction, passing over those of other workers.

    The instance is locked, too: whoever deletes it, with its jobs, waits here and holds nothing
    that this transaction still needs.
    """
    row = queue.execute(
        "SELECT j.job_id, j.instance_id, j.kind, j.baggage, j.traceparent, i.size"
        " FROM instances.jobs j JOIN instances.instances i USING (instance_id)"
        " WHERE j.done_at IS NULL ORDER BY j.job_id LIMIT 1"
        " FOR KEY SHARE OF i SKIP LOCKED FOR UPDATE OF j SKIP LOCKED"
    ).fetchone()
    return Job(*row) if row else None


def announce(announcer: Connection, job: Job) -> int | None:
    """Count the attempt and return its number; None when the instance is no longer wanted."""
    row = announcer.execute(
        "UPDATE instances.instances"
        " SET state = 'provisioning', attempts = attempts + 1, updated_at = now()"
        " WHERE instance_id = %s AND state IN ('requested', 'provisioning') RETURNING attempts",
        [job.instance_id],
    ).fetchone()
    return row[0] if row else None


def provision(queue: Connection, job: Job, attempt: int | None, places: Places) -> str:
    """Give the instance its resource, or fail it with a reason; return what happened."""
    if attempt is None:
        return "no longer wanted"
    place = places.of(job)
    if attempt > MAX_ATTEMPTS:
        place.remove(job.instance_id)
        return fail(queue, job, f"given up after {MAX_ATTEMPTS} attempts")
    # Two statements: the second must see what was committed while the first waited for its lock.
    (capacity,) = one(
        queue, "SELECT capacity FROM instances.sizes WHERE size = %s FOR NO KEY UPDATE", job.size
    )
    (used,) = one(queue, "SELECT count(*) FROM instances.resources WHERE size = %s", job.size)
    if used >= capacity:
        return fail(queue, job, f"no rack has room for another {job.size}")
    try:
        place.make(job.instance_id, job.size, places.within_s)
    except RefusedError as refusal:
        # Failed means that nothing is left: who cannot take it away tries again.
        place.remove(job.instance_id)
        return fail(queue, job, f"the cluster refused it: {refusal}")
    with queue.transaction():
        queue.execute(
            "INSERT INTO instances.resources (instance_id, size, attempt) VALUES (%s, %s, %s)",
            [job.instance_id, job.size, attempt],
        )
        if not move(queue, job, "provisioning", "running"):
            raise psycopg.Rollback  # given back in the meantime: no resource for it
        return "provisioned"
    return "no longer wanted"


def deprovision(queue: Connection, job: Job, place: Place) -> str:
    """Take the resource away; return what happened."""
    if not isinstance(place, Rack):
        # Another worker may still be making what is to go: wait until it has done, or died.
        queue.execute(
            "SELECT FROM instances.jobs WHERE instance_id = %s AND kind = 'provision' FOR UPDATE",
            [job.instance_id],
        )
        place.remove(job.instance_id)
    move(queue, job, "deprovisioning", "deprovisioned")
    queue.execute("DELETE FROM instances.resources WHERE instance_id = %s", [job.instance_id])
    return "deprovisioned"


def fail(queue: Connection, job: Job, reason: str) -> str:
    """Bring the instance into state failed; return what happened."""
    move(queue, job, "provisioning", "failed", reason)
    return f"failed: {reason}"


def move(queue: Connection, job: Job, old: str, new: str, reason: str | None = None) -> bool:
    """Change the instance's state from `old` to `new`; return False when it is another by now."""
    done = queue.execute(
        "UPDATE instances.instances SET state = %s, failure_reason = %s, updated_at = now()"
        " WHERE instance_id = %s AND state = %s",
        [new, reason, job.instance_id, old],
    )
    return done.rowcount == 1


def one(conn: Connection, statement: str, value: str) -> tuple[Any, ...]:
    """Return the one row that `statement` gives for `value`."""
    row = conn.execute(statement, [value]).fetchone()
    if row is None:
        raise LookupError(f"no row for {value}: {statement}")
    return row
