"""What was seen of a database while a test ran: its statements, and who waited for whose lock."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

MOST_TEXT = 2000
"""Characters of a statement that are kept."""

_MOST_STATEMENTS = 200
_MOST_WAITS = 100
_MOST_GAPS = 5
# A database that was looked at 20 times a second, and then was not for so long, did not answer.
_LONGEST_PAUSE_S = 1.0
_PREPARED = "a prepared transaction"


@dataclass(frozen=True)
class Session:
    """One connection of the database that is not idle, as one look found it."""

    pid: int
    service: str
    state: str
    """``active``, ``idle in transaction`` and the like, in PostgreSQL's words."""
    text: str
    """The statement that runs, or the last one that did."""
    query: float
    """When that began, by the server's clock: with the pid it is of this statement alone."""
    age_s: float
    """For how long it has been in this state."""
    transaction_age_s: float
    """For how long its transaction has been open."""
    waits_for: Sequence[int] | None
    """The pids that hold the lock for which it waits; None where it waits for none."""


@dataclass
class Statement:
    """One statement of one service in one state; times are of the monotonic clock."""

    service: str
    state: str
    text: str
    at_s: float
    """When it began, the first time."""
    until_s: float
    """When it was seen last."""
    looks: int = 0
    longest_s: float = 0.0


@dataclass
class LockWait:
    """A statement that waited for a lock; times are of the monotonic clock."""

    service: str
    text: str
    at_s: float
    until_s: float
    blocked_by: str = ""
    """Who held it, as far as that was seen: a service, or another one of these words."""
    blocked_by_state: str = ""
    blocked_by_text: str = ""
    """What the holder runs, or ran last."""
    blocked_by_at_s: float | None = None
    """Since when its transaction was open."""


@dataclass
class Gap:
    """A time in which nothing was seen."""

    at_s: float
    until_s: float
    why: str
    is_open: bool = True


@dataclass
class Activity:
    """What the looks of one test's time found; it keeps no more than is written."""

    began_s: float
    statements_cut: int = 0
    waits_cut: int = 0
    gaps_cut: int = 0
    gaps: list[Gap] = field(default_factory=list)
    denied: str = ""
    """Why the statements of others are not shown; "" where they are."""
    _statements: dict[tuple[str, str, str], Statement] = field(default_factory=dict)
    _waits: dict[tuple[int, float], LockWait] = field(default_factory=dict)
    _looked_s: float | None = None

    @property
    def statements(self) -> list[Statement]:
        """The statements, in the order of their beginnings."""
        return sorted(self._statements.values(), key=lambda found: found.at_s)

    @property
    def waits(self) -> list[LockWait]:
        """The waits for locks, likewise."""
        return sorted(self._waits.values(), key=lambda found: found.at_s)

    def as_json(self, at: Callable[[float], float], sql: Callable[[str], str]) -> dict[str, Any]:
        """Return it as docs/evidence.md has it.

        ``at`` counts a moment from the test's begin, ``sql`` takes the secrets out of a statement.
        """
        return {
            "statements": [
                {
                    "at_s": at(found.at_s),
                    "until_s": at(found.until_s),
                    "service": found.service,
                    "state": found.state,
                    "text": sql(found.text),
                    "looks": found.looks,
                    "longest_s": round(found.longest_s, 4),
                }
                for found in self.statements
            ],
            "statements_cut": self.statements_cut,
            "lock_waits": [
                {
                    "at_s": at(wait.at_s),
                    "until_s": at(wait.until_s),
                    "service": wait.service,
                    "text": sql(wait.text),
                    "blocked_by": wait.blocked_by,
                    "blocked_by_state": wait.blocked_by_state,
                    "blocked_by_text": sql(wait.blocked_by_text),
                    "blocked_by_at_s": wait.blocked_by_at_s and at(wait.blocked_by_at_s),
                }
                for wait in self.waits
            ],
            "lock_waits_cut": self.waits_cut,
        }

    def add(self, sessions: Sequence[Session], now_s: float) -> None:
        """Add what one look found."""
        before_s = self._looked_s
        since_s = self.began_s if before_s is None else before_s
        if self.gaps and self.gaps[-1].is_open:
            self.gaps[-1].until_s, self.gaps[-1].is_open = now_s, False
        elif now_s - since_s > _LONGEST_PAUSE_S:
            self._add_gap(Gap(since_s, now_s, "it did not answer", is_open=False))
        self._looked_s = now_s
        by_pid = {session.pid: session for session in sessions}
        for session in sessions:
            self._add_statement(session, now_s)
            if session.waits_for is not None:
                self._add_wait(session, by_pid, now_s, before_s)

    def fail(self, why: str, now_s: float) -> None:
        """Add a look that found nothing, with the reason."""
        if self.gaps and self.gaps[-1].is_open:
            self.gaps[-1].until_s, self.gaps[-1].why = now_s, why
        else:
            self._add_gap(Gap(self.looked_s, now_s, why))

    @property
    def looked_s(self) -> float:
        """When it was looked at last; before the first time the begin."""
        return self.began_s if self._looked_s is None else self._looked_s

    def missing(self, began_s: float) -> list[str]:
        """Say what was not seen; the times are counted from a moment of the monotonic clock."""
        said = [
            f"from {max(0.0, gap.at_s - began_s):.1f} s to {gap.until_s - began_s:.1f} s: {gap.why}"
            for gap in self.gaps
        ]
        if self.gaps_cut:
            said.append(f"{self.gaps_cut} more times")
        if self.denied:
            said.append(self.denied)
        return [f"database statements, {text}" for text in said]

    def _add_gap(self, gap: Gap) -> None:
        if len(self.gaps) == _MOST_GAPS:
            self.gaps_cut += 1
            self.gaps.pop()
        self.gaps.append(gap)

    def _add_statement(self, session: Session, now_s: float) -> None:
        began_s, text = now_s - session.age_s, session.text[:MOST_TEXT]
        key = session.service, session.state, text
        if key not in self._statements:
            if len(self._statements) == _MOST_STATEMENTS:
                self.statements_cut += 1
                # Those that took longest say most.
                least = min(self._statements, key=lambda each: self._statements[each].longest_s)
                if self._statements[least].longest_s >= session.age_s:
                    return
                del self._statements[least]
            self._statements[key] = Statement(*key, began_s, now_s)
        found = self._statements[key]
        found.at_s, found.until_s = min(found.at_s, began_s), now_s
        found.looks, found.longest_s = found.looks + 1, max(found.longest_s, session.age_s)

    def _add_wait(
        self, session: Session, by_pid: Mapping[int, Session], now_s: float, before_s: float | None
    ) -> None:
        key = session.pid, session.query
        if key not in self._waits:
            if len(self._waits) == _MOST_WAITS:
                self.waits_cut += 1
                return
            # At the last look it did not wait yet.
            at_s = max(now_s - session.age_s, before_s or 0.0)
            self._waits[key] = LockWait(session.service, session.text[:MOST_TEXT], at_s, now_s)
        wait = self._waits[key]
        wait.until_s = now_s
        holders = [by_pid[pid] for pid in session.waits_for or () if pid in by_pid]
        # One that waits itself is not at the root of it.
        holder = min(holders, key=lambda held: held.waits_for is not None, default=None)
        if holder is not None:
            wait.blocked_by, wait.blocked_by_state = holder.service, holder.state
            wait.blocked_by_text = holder.text[:MOST_TEXT]
            wait.blocked_by_at_s = now_s - holder.transaction_age_s
        elif 0 in (session.waits_for or ()):
            wait.blocked_by = _PREPARED
