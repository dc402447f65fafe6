"""What the engine remembers of containers: how each is, what happened to it, who asked for that.

Two memories, since neither is whole: the engine keeps of each container its last start, its last
end and its last five healthchecks; and of all containers together the last 256 events, which the
healthchecks of a busy machine fill up within seconds.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from time import monotonic, time
from typing import Any

from nomock import baggage
from nomock.adapters.engine.labels import is_of_service, number_of, of_project
from nomock.adapters.engine.transport import Transport
from nomock.errors import EngineError, EngineForbiddenError, EngineMissingError
from nomock.target import Act, Course, Happening, Probed

_EVENTS = ("die", "oom", "kill", "start", "destroy", "health_status")
_KEPT_PROBES = 5
_DEFAULT_RETRIES = 3


class Past(Transport):
    """Asks what was."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.acts: list[Act] = []
        """What this process did to containers, in order."""

    def now_s(self) -> float:
        """Return the time on the engine's clock, in seconds since the epoch.

        A machine's own engine has the machine's clock: then this is our own time, exactly.
        """
        before_s = time()
        found = self._call("GET", "/info")
        with self._reading("GET /info", found):
            told_s = moment(found.get("SystemTime"))
        after_s = time()
        return after_s if told_s is None or before_s <= told_s <= after_s else told_s

    def happenings(self, project: str, *, since_s: float, until_s: float) -> list[Happening]:
        """Return what happened to a project's containers, so far as the engine remembers it.

        The moments are the engine's own, in seconds since the epoch; ``until_s`` may not be in its
        future, for which it would wait.
        """
        filters = json.loads(of_project(project)["filters"])
        filters |= {"type": ["container"], "event": list(_EVENTS)}
        query = {
            "since": f"{since_s:.9f}",
            "until": f"{until_s:.9f}",
            "filters": json.dumps(filters),
        }
        with self._request("GET", "/events", query) as response:
            body = response.read()
            if response.status >= 400:
                self._answer(response, body, "GET /events")
        events = []
        for line in body.splitlines():
            with self._reading("GET /events", line.decode(errors="replace")):
                events.append(json.loads(line))
        with self._reading("GET /events", events):
            return [found for event in events if (found := _happening(event)) is not None]

    def course(self, container_id: str) -> Course | None:
        """Return how a container is and came to it; None if it is gone."""
        path = f"/containers/{container_id}/json"
        found = self._found(path)
        if found is None:
            return None
        with self._reading(f"GET {path}", found):
            return _course(found)

    def is_ending(self, container_id: str) -> bool:
        """Tell whether no process is left in a container that the engine still calls running.

        It takes the engine 0.2 s, and seconds where much is going on, to notice an end and to
        clear up after it.
        """
        once = {"stream": "0", "one-shot": "1"}
        try:
            found = self._call("GET", f"/containers/{container_id}/stats", once)
        except (EngineMissingError, EngineForbiddenError):
            raise
        except EngineError:
            return False  # it is gone, or this engine does not count
        counted = (found or {}).get("pids_stats")
        return isinstance(counted, dict) and not counted.get("current")

    def _acted(self, container_id: str, what: str) -> None:
        self.acts.append(Act(container_id, what, monotonic(), baggage.current_test()))


def moment(text: object) -> float | None:
    """Read an RFC 3339 time as seconds since the epoch; None for the year 1, the engine's "never".

    >>> moment("1970-01-01T00:00:01.5Z")
    1.5
    >>> moment("0001-01-01T00:00:00Z")
    """
    if not isinstance(text, str) or not text:
        return None
    seconds = datetime.fromisoformat(text).timestamp()
    return seconds if seconds > 0 else None


def _happening(event: Mapping[str, Any]) -> Happening | None:
    actor = event.get("Actor") or {}
    labels = actor.get("Attributes") or {}
    if not is_of_service(labels):
        return None
    what, _, verdict = (event.get("Action") or event.get("status") or "").partition(":")
    if what == "health_status":
        what = verdict.strip() or labels.get("health_status", "")
    code = labels.get("exitCode", "")
    return Happening(
        at_s=event["timeNano"] / 1e9 if event.get("timeNano") else float(event["time"]),
        container_id=actor.get("ID") or event["id"],
        what={"died": "die", "remove": "destroy"}.get(what, what),
        service=labels.get("com.docker.compose.service", ""),
        number=number_of(labels),
        exit_code=int(code) if code.lstrip("-").isdecimal() else None,
        signal=labels.get("signal", ""),
    )


def _course(found: Mapping[str, Any]) -> Course:
    state = found["State"]
    health = state.get("Health") or state.get("Healthcheck") or {}
    verdict = health.get("Status") or None
    probes = tuple(_probes(health.get("Log") or ()))
    return Course(
        state=state["Status"],
        started_s=moment(state.get("StartedAt")),
        finished_s=moment(state.get("FinishedAt")),
        exit_code=int(state.get("ExitCode") or 0),
        out_of_memory=bool(state.get("OOMKilled")),
        health=verdict if verdict != "none" else None,
        unhealthy_since_s=_unhealthy_since(found, health, probes),
        probes=probes,
    )


def _probes(log: Any) -> Iterator[Probed]:
    for entry in log:
        ended_s = moment(entry.get("End"))
        if ended_s is not None:
            output = (entry.get("Output") or "").strip()
            yield Probed(ended_s, int(entry.get("ExitCode") or 0), output)


def _unhealthy_since(
    found: Mapping[str, Any], health: Mapping[str, Any], probes: tuple[Probed, ...]
) -> float | None:
    """Work out when the verdict fell: with as many failures in a row as the healthcheck allows."""
    if health.get("Status") != "unhealthy":
        return None
    check = (found.get("Config") or {}).get("Healthcheck") or {}
    streak = int(health.get("FailingStreak") or 0)
    since = streak - int(check.get("Retries") or _DEFAULT_RETRIES) + 1
    return probes[-since].ended_s if 1 <= since <= min(len(probes), _KEPT_PROBES) else None
