"""The connections of a role, or of a service, are ended by the database."""

from __future__ import annotations

from dataclasses import dataclass

from nomock.errors import ConfigError, FaultError, did_you_mean
from nomock.faults.database.logins import roles_of
from nomock.faults.database.sessions import PREFIX, look_all, visit
from nomock.faults.fault import Fault, NoState
from nomock.faults.stack_control import StackControl
from nomock.polling import wait_until
from nomock.project import Project

_ENDED_WITHIN_S = 2.0

# Not ours, and not those that hold another fault.
_BACKENDS = """
    SELECT pid, backend_start FROM pg_stat_activity
    WHERE usename = ANY(%s) AND backend_type = 'client backend' AND pid <> pg_backend_pid()
    AND NOT starts_with(application_name, %s)
"""
# https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-ADMIN-SIGNAL
_REFUSED = """
    SELECT ours.rolname FROM pg_roles AS theirs, pg_roles AS ours
    WHERE theirs.rolname = ANY(%s) AND ours.rolname = current_user AND NOT ours.rolsuper
    AND NOT pg_has_role(ours.oid, theirs.oid, 'MEMBER')
    AND (theirs.rolsuper OR NOT pg_has_role(ours.oid, 'pg_signal_backend', 'MEMBER'))
"""
# A number may have been given to a new process meanwhile.
_LEFT = """
    SELECT FROM pg_stat_activity a
    JOIN unnest(%s::int[], %s::timestamptz[]) AS b (pid, backend_start)
    ON a.pid = b.pid AND a.backend_start = b.backend_start
"""


@dataclass(frozen=True)
class EndBackends(Fault):
    """Ends all connections of a role, or of a service, once, as an administrator would.

    Who uses one is told ``57P01 admin_shutdown``; an idle one is found dead when it is used next.
    A service's roles are those of the URLs in its compose environment. New connections are let in.
    """

    kind = "end_backends"

    role: str | None = None
    service: str | None = None

    @property
    def where(self) -> str:
        """The service, or the role."""
        return self.service or self.role or ""

    def validate_kind(self, control: StackControl) -> None:
        """Refuse both and neither, a service without a role, and a role that there is not."""
        if (self.role is None) == (self.service is None):
            raise ConfigError(
                "whose connections are to be ended?",
                where=f"fault {self.kind}",
                seen=f"role={self.role!r}, service={self.service!r}",
                todo="name one of the two: a role of the database, or a service of the stack",
            )
        roles = self._roles(control)
        with visit(control) as connection:
            rows = connection.execute("SELECT rolname FROM pg_roles WHERE rolcanlogin").fetchall()
            refused = connection.execute(_REFUSED, [roles]).fetchall()
        known = sorted(name for (name,) in rows)
        for role in roles:
            if role not in known:
                raise ConfigError(
                    f"there is no role {role!r} that may log in",
                    where=f"fault {self.name}",
                    seen=f"the roles are: {', '.join(known)}",
                    todo=did_you_mean(role, known),
                )
        if refused:
            [(ours,), *_] = refused
            raise FaultError(
                "the role of the tests may not end the connections of others",
                where=f"fault {self.name}",
                seen=f"{ours} is no superuser, and no member of pg_signal_backend",
                todo=f"GRANT pg_signal_backend TO {ours}; those of a superuser "
                "only a superuser may end",
            )

    def exclusive_parts(self, control: StackControl) -> frozenset[str]:
        """Take the database: another test may have a connection of the same role."""
        return frozenset({control.postgres.service.name})

    def conflicts_with(self, other: Fault) -> bool:
        """Go with everything: it is over when it begins."""
        return False

    def begin(self, control: StackControl, state: NoState) -> int:
        """Terminate the backends, and return how many have ended."""
        with visit(control) as connection:
            backends = connection.execute(_BACKENDS, [self._roles(control), PREFIX]).fetchall()
            pids, starts = [pid for pid, _ in backends], [start for _, start in backends]
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM unnest(%s::int[]) pid", [pids]
            )
            left = 0

            def have_ended() -> bool:
                nonlocal left
                left = connection.execute(_LEFT, [pids, starts]).rowcount
                return left == 0

            wait_until(have_ended, within_s=_ENDED_WITHIN_S)
        look_all(control)  # who takes all slots is to have these, not who was just disconnected
        return len(backends) - left

    def observe_effect(self, control: StackControl, state: NoState, begun: int) -> str:
        """Say how many there were."""
        return f"connections ended: {begun}" if begun else ""

    def heal(self, control: StackControl, state: NoState) -> None:
        """Do nothing: who was disconnected may connect again."""

    def by_hand(self, project: Project) -> str:
        """Say that nothing is to be done."""
        return "nothing: it was over as soon as it began"

    def _roles(self, control: StackControl) -> list[str]:
        if self.service is None:
            return [self.role or ""]
        return roles_of(control.service(self.service).config)
