"""The rules: which requests are met by what, since when, how often, and until when."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from httpfaults.heads import Origin, RequestHead

ACTIONS = ("status", "delay", "half", "twice")
MOST_BODY = 1024 * 1024
MOST_DELAY_MS = 600_000
MOST_EXPIRY_S = 86400
MOST_RULES = 1000


class InvalidRuleError(Exception):
    """A rule that cannot be meant so; the text says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Match:
    """Which requests of an edge are meant; what is None is not asked."""

    edge: str
    test: str | None = None
    run: str | None = None
    """A request of this test that names no run is meant, too: its test made it by hand, or the
    spy of the coverage, which knows no runs, sent the test on."""
    method: str | None = None
    path: str | None = None
    """The whole path without the query, or with a `*` at its end how it begins."""

    def fits(self, head: RequestHead, origin: Origin) -> bool:
        """Tell whether this request, which comes from there, is meant."""
        return (
            (self.test is None or self.test == origin.test)
            and (self.run is None or origin.run is None or self.run == origin.run)
            and (self.method is None or self.method == head.method)
            and (self.path is None or _path_fits(self.path, head.path))
        )


@dataclass(slots=True)
class Rule:
    """What happens to the requests that match, or to the nth of them."""

    id: str
    match: Match
    action: str
    nth: int | None
    status: int
    body: str
    content_type: str
    delay_ms: int
    expires_at: float
    matched: int = field(default=0)
    hits: int = field(default=0)

    def meets(self, head: RequestHead, origin: Origin) -> bool:
        """Count a request that matches, and tell whether it is one that something happens to."""
        if not self.match.fits(head, origin):
            return False
        self.matched += 1
        return self.nth is None or self.nth == self.matched

    def shown(self, now: float) -> dict[str, Any]:
        """Return the rule as JSON has it."""
        return {
            "id": self.id,
            **asdict(self.match),
            "nth": self.nth,
            "action": self.action,
            **{name: getattr(self, name) for name in _OWNERS if _OWNERS[name] == self.action},
            "expires_in_s": round(self.expires_at - now, 3),
            "matched": self.matched,
            "hits": self.hits,
        }


_NONE: Mapping[str, Rule] = {}


class Rules:
    """All rules; of several of one action that would meet a request, the newest does."""

    def __init__(self, edges: Iterable[str], clock: Callable[[], float] = time.monotonic) -> None:
        self.edges = tuple(edges)
        self._clock = clock
        self._rules: dict[str, Rule] = {}
        # Asked for every request; nearly always empty.
        self._of_edge: dict[str, list[Rule]] = {}

    def put(self, rule_id: str, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """Add a rule, in place of one of the same id; raise InvalidRuleError."""
        now = self._clock()
        rule = _rule(rule_id, wanted, self.edges, now)
        self._drop(lambda old: old.id == rule_id or old.expires_at <= now)
        if len(self._rules) >= MOST_RULES:
            raise InvalidRuleError(f"there are {MOST_RULES} rules, and no more can be")
        self._rules[rule_id] = rule
        self._of_edge.setdefault(rule.match.edge, []).append(rule)
        return rule.shown(now)

    def check(self, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """Return the rule as it would be; raise InvalidRuleError."""
        return _rule("", wanted, self.edges, 0.0).shown(0.0)

    def remove(self, rule_id: str) -> bool:
        """Remove a rule; return whether there was one."""
        return self._drop(lambda old: old.id == rule_id)

    def shown(self) -> list[dict[str, Any]]:
        """Return the rules that have not expired."""
        now = self._clock()
        self._drop(lambda rule: rule.expires_at <= now)
        return [rule.shown(now) for rule in self._rules.values()]

    def meeting(self, edge: str, head: RequestHead) -> Mapping[str, Rule]:
        """Return action -> rule for a request, and count it with every rule that it matches."""
        rules = self._of_edge.get(edge)
        if not rules:
            return _NONE
        now, origin = self._clock(), head.origin()
        return {
            rule.action: rule
            for rule in rules
            if rule.expires_at > now and rule.meets(head, origin)
        }

    def _drop(self, condition: Callable[[Rule], bool]) -> bool:
        going = [rule for rule in self._rules.values() if condition(rule)]
        for rule in going:
            del self._rules[rule.id]
            self._of_edge[rule.match.edge].remove(rule)
        return bool(going)


def _path_fits(wanted: str, path: str) -> bool:
    return path.startswith(wanted[:-1]) if wanted.endswith("*") else path == wanted


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"})


def _rule(rule_id: str, wanted: Mapping[str, Any], edges: tuple[str, ...], now: float) -> Rule:
    """Return the rule that is described; raise InvalidRuleError."""
    known = set(_KINDS)
    if unknown := sorted(set(wanted) - known):
        raise InvalidRuleError(f"unknown: {', '.join(unknown)}; known: {', '.join(sorted(known))}")
    for name, value in wanted.items():
        if value is not None and (type(value) not in _KINDS[name]):
            kinds = " or ".join(kind.__name__ for kind in _KINDS[name])
            raise InvalidRuleError(f"{name} must be {kinds}, not {value!r}")
    given = {name: value for name, value in wanted.items() if value is not None}
    action, edge = given.get("action", ""), given.get("edge", "")
    _demand(edge in edges, f"{edge!r} is no HTTP edge; those are: {', '.join(edges)}")
    _demand(action in ACTIONS, f"action must be one of {', '.join(ACTIONS)}, not {action!r}")
    for name, owner in _OWNERS.items():
        _demand(name not in given or action == owner, f"{name} is for {owner}, not for {action}")
    _demand(action != "delay" or "delay_ms" in given, "delay needs delay_ms")
    _demand(
        "run" not in given or "test" in given,
        "run is for the requests of a test, which test must name",
    )
    method, path = given.get("method"), given.get("path")
    _demand(
        method is None or method in _METHODS,
        f"method must be one of {', '.join(sorted(_METHODS))}, not {method!r}",
    )
    _demand(
        path is None or (path.startswith("/") and "*" not in path[:-1] and "?" not in path),
        f"path must begin with /, have no query, and * at its end only, not {path!r}",
    )
    content_type = given.get("content_type", "text/plain; charset=utf-8")
    _demand(
        content_type.isprintable() and content_type.isascii(),
        "content_type must be one line of ASCII",
    )
    body = given.get("body", "")
    _demand(len(body) <= MOST_BODY, f"body must have at most {MOST_BODY} characters")
    status = _within(given, "status", 503, 200, 599)
    _demand(not body or status not in {204, 205, 304}, f"an answer of {status} has no body")
    return Rule(
        id=rule_id,
        match=Match(edge, given.get("test"), given.get("run"), method, path),
        action=action,
        nth=_within(given, "nth", 1, 1, 1_000_000) if "nth" in given else None,
        status=status,
        body=body,
        content_type=content_type,
        delay_ms=_within(given, "delay_ms", 1, 1, MOST_DELAY_MS),
        expires_at=now + _within(given, "expires_s", 300.0, 0.001, MOST_EXPIRY_S),
    )


_KINDS: Mapping[str, tuple[type, ...]] = {
    "edge": (str,),
    "action": (str,),
    "test": (str,),
    "run": (str,),
    "method": (str,),
    "path": (str,),
    "nth": (int,),
    "status": (int,),
    "body": (str,),
    "content_type": (str,),
    "delay_ms": (int,),
    "expires_s": (int, float),
}
_OWNERS = {"status": "status", "body": "status", "content_type": "status", "delay_ms": "delay"}


def _within(given: Mapping[str, Any], name: str, default: Any, least: Any, most: Any) -> Any:
    value = given.get(name, default)
    _demand(least <= value <= most, f"{name} must be from {least} to {most}, not {value!r}")
    return value


def _demand(condition: bool, otherwise: str) -> None:
    if not condition:
        raise InvalidRuleError(otherwise)
