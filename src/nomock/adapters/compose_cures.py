"""What compose, BuildKit and the engine say where they refuse, and what a user can do about it."""

from __future__ import annotations

import re
from collections.abc import Iterable

_NAME_TAKEN = r'container name "/?([^"]+)" is already in use by container "?([0-9a-f]{12,64})'
# Where the docker client does not find its engine; compose says so as well.
_OF_ENDPOINTS = (
    (
        r"unable to resolve docker endpoint: open ",
        "the certificates of this engine are not there: DOCKER_CERT_PATH is the folder of ca.pem, "
        "cert.pem and key.pem; where it speaks no TLS, unset DOCKER_TLS_VERIFY",
    ),
    (
        r"unable to resolve docker endpoint: invalid bind address",
        "DOCKER_HOST begins with unix://, tcp:// or ssh://",
    ),
    (
        r"context \S+ (?:not found|does not exist)|context not found"
        r"|unable to resolve docker endpoint",
        "docker context ls shows which docker contexts there are; choose one of them: "
        "docker context use default, and unset DOCKER_CONTEXT",
    ),
)
_CURES = (
    (r"no space left on device", "the disk is full: docker system df shows what can go"),
    (
        r"non-overlapping IPv4 address pool|all predefined address pools have been",
        "the engine has no addresses for one more network, since stacks that are over left "
        "theirs: docker network ls shows them, and docker network prune removes what nobody uses",
    ),
    (
        r"port is already allocated|address already in use|ports are not available"
        r"|all ports are allocated",
        "another program has that port: end it, or let the engine choose (127.0.0.1::8000)",
    ),
    (
        r"error from sender: .*permission denied",
        "a file or folder of the build context may not be read: name it in .dockerignore",
    ),
    (
        r"pull access denied|failed to resolve reference|manifest unknown|no such host"
        r"|i/o timeout|failed to do request|failed to resolve source metadata"
        r"|Get \"https?://[^\" ]*/v2/",
        "an image is not here and no container registry gave it: docker compose pull shows its "
        "answer; where none answers, name images that are here: nomock docs images",
    ),
    (
        _NAME_TAKEN,
        r"if nobody needs that one: docker rm -f \1; or change this one's container_name, or leave "
        "it out: compose then gives each project names of its own",
    ),
    (
        r"project name must not be empty|invalid project name|not a valid project name",
        "give the project a name of lowercase letters, digits, - and _: a line `name: shop` at the "
        "top of the compose file, or COMPOSE_PROJECT_NAME=shop",
    ),
    (
        r"unsupported external secret (\S+)",
        r"only swarm has external secrets: give \1 a file: or environment: of its own, in an "
        "override file",
    ),
    (
        # Not of one that is named by its ID: a container's own, that somebody has removed.
        r"network (?![0-9a-f]{64})(\S+) (?:declared as external, but could not be|not) found",
        r"make it, as its owner does: docker network create \1",
    ),
    (r"external volume \"(\S+)\" not found", r"make it: docker volume create \1"),
    (
        r"Additional property (\S+) is not allowed|additional properties .+ not allowed"
        r"|: (\S+) false schema|unsupported env_file format \"?(\w+)",
        "it is misspelt, or newer than this compose: docker compose version; update it",
    ),
    (
        r"compose build requires buildx",
        "this compose wants a newer buildx, the client's plugin that builds: update it "
        "(docker-buildx-plugin); docker buildx version shows which there is",
    ),
    *_OF_ENDPOINTS,
)


def cure_of(lines: str) -> str:
    """Return what to do about what was said, empty where no cure is known."""
    return _first(_CURES, lines)


def cure_of_endpoint(lines: str) -> str:
    """Return what to do about what the client said of its way to the engine, empty if unknown."""
    return _first(_OF_ENDPOINTS, lines)


def name_taken(lines: str) -> tuple[str, str] | None:
    """Return the container's name that is taken, and the id of the container that has it."""
    found = re.search(_NAME_TAKEN, lines)
    return (found[1], found[2]) if found else None


def _first(cures: Iterable[tuple[str, str]], lines: str) -> str:
    found = ((re.search(pattern, lines), cure) for pattern, cure in cures)
    return next((match.expand(cure) for match, cure in found if match), "")
