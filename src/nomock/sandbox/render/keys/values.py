"""The values of a service's keys that have no translation, where others have one."""

from __future__ import annotations

import re
import signal
from contextlib import suppress
from typing import Any

from nomock.sandbox.render.fate import Decide, Lost
from nomock.sandbox.render.keys.known import Known
from nomock.sandbox.render.mounts import content_of, volume_source
from nomock.sandbox.render.naming import is_annotation, is_label
from nomock.sandbox.render.pod.security import (
    NO_NEW_PRIVILEGES,
    SAFE_SYSCTLS,
    UNCONFINED,
    numbers_of,
)
from nomock.sandbox.render.pod.template import HOST_GATEWAY

NO_LABEL = "one that is no DNS label"
BAD_ANNOTATION = "a name that no annotation can have"
_LOGS_STAY = {"json-file", "local", "journald"}


def restarts(value: Any, known: Known) -> Lost | None:
    """Who stays is started again whatever its end."""
    policy = str(value).partition(":")[0]
    if known.service.is_job or policy in {"always", "unless-stopped", "any"}:
        return None
    return Lost("a Deployment is started again after any end", "it starts again when it has ended")


def annotation(value: Any, known: Known) -> Lost | None:
    """A label's value may be any text, its name not."""
    if is_annotation(known.key):
        return None
    return Lost("an annotation cannot have this name", "it is left out")


def command(value: Any, known: Known) -> Lost | None:
    """What takes away the image's command, and says nothing else."""
    if value != [] or known.service.config.get("entrypoint"):
        return None
    return Lost("Kubernetes cannot take the image's command away", "the image's own command")


def entrypoint(value: Any, known: Known) -> Lost | None:
    """What takes away the image's entry point, and says nothing else."""
    if value != [] or known.service.config.get("command"):
        return None
    return Lost("Kubernetes cannot take the image's entry point away", "the image's own one")


def extra_host(value: Any, known: Known) -> Lost | None:
    """The machine that the engine runs on."""
    if not str(value).endswith(f"={HOST_GATEWAY}"):
        return None
    return Lost("there is no machine around the sandbox", "this name is not found")


def group(value: Any, known: Known) -> Lost | None:
    """A group by its name, which only the image can resolve."""
    if str(value).isdigit() or str(value) in known.service.image.groups:
        return None
    return Lost("Kubernetes takes numbers alone", "it is not in this group")


def user(value: Any, known: Known) -> Lost | None:
    """A user by its name, which only the image can resolve."""
    if numbers_of(str(value), known.service.image) is not None:
        return None
    return Lost(
        "Kubernetes takes numbers alone",
        "the image's own user, unless the promotion finds its number in the image",
    )


def stop_signal(value: Any, known: Known) -> Lost | None:
    """A signal that is not the image's: of clusters few can choose one, and none by default."""
    own = known.service.image.stop_signal
    if own is not None and _signal(str(value)) == _signal(own or "SIGTERM"):
        return None
    return Lost("not all clusters can choose a signal", "the image's own STOPSIGNAL, or SIGTERM")


def _signal(text: str) -> str:
    """Return the name of a signal, as ``INT``: Docker takes SIGINT, INT and 2."""
    if text.isdigit():
        with suppress(ValueError):
            text = signal.Signals(int(text)).name
    return text.upper().removeprefix("SIG")


def hostname(value: Any, known: Known) -> Lost | None:
    """A name with dots, or in capitals."""
    return None if is_label(str(value)) else Lost("it is no DNS label", "the pod's own name")


def other_name(value: Any, known: Known) -> Lost | None:
    """Another name of the service."""
    if not is_label(str(value)):
        return Lost("no name of Kubernetes' DNS", "who asks for it does not find it")
    services = known.plan.services.values()
    if value == known.service.label or any(value in service.aliases for service in services):
        return None
    return Lost("several services have this name", "it is found of none, or of whose own it is")


def link(value: Any, known: Known) -> Lost | None:
    """The alias of a link."""
    alias = str(value).partition(":")[2]
    return other_name(alias, known) if alias else None


def port_name(value: Any, known: Known) -> Lost | None:
    """The name of a port."""
    return None if is_label(str(value)) else Lost("it is no DNS label", "a name made of its number")


def log_driver(value: Any, known: Known) -> Lost | None:
    """A driver that sends logs elsewhere."""
    if value in _LOGS_STAY:
        return None
    return Lost("the node keeps the logs", "nothing is sent there")


def security_option(value: Any, known: Known) -> Lost | None:
    """A profile of the machine's own."""
    if value in NO_NEW_PRIVILEGES | UNCONFINED:
        return None
    return Lost("a profile of one machine's", "the runtime's usual profile")


def sysctl(value: Any, known: Known) -> Lost | None:
    """A parameter that a node does not let pods set."""
    if known.key in SAFE_SYSCTLS:
        return None
    return Lost("Kubernetes calls it unsafe", "the node's own value")


def tmpfs(value: Any, known: Known) -> Lost | None:
    """The options of a tmpfs."""
    options = str(value).partition(":")[2].split(",")
    if all(re.match(r"(size|mode)=|$|rw$", option) for option in options):
        return None
    return Lost("an emptyDir knows a size alone", "everybody may write to it and run what is there")


def unknown(kind: str) -> Decide:
    """What is not in the compose file."""

    def decide(value: Any, known: Known) -> Lost | None:
        if content_of(kind, str(value), known.plan.ground) is not None:
            return None
        return Lost("nomock does not know what is in it", "it is not mounted")

    return decide


def volume(value: Any, known: Known) -> Lost | None:
    """A mount, whatever it is of."""
    if not isinstance(value, dict):
        return None
    _, what = volume_source(value, known.service.name, known.plan.ground)
    return what
