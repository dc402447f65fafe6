"""Look at a project as a newcomer would: its files, its images, and what its services answer."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from nomock.config import COMPOSE_NAMES, OVERRIDE_NAMES, Settings
from nomock.coverage.overlay import Finding, survey
from nomock.coverage.python_startup import words_of
from nomock.errors import ConfigError, NomockError
from nomock.init import tries
from nomock.init.found import Found, FoundService
from nomock.init.kinds import is_worker, kind_of_image, server_of
from nomock.project import Project, ServiceConfig
from nomock.stack import Service, Stack, postgres_service

_AT_ONCE = 8
_DEEP = 3
# lock file -> what runs a program of its environment, and what adds a package to it
_ENVIRONMENTS = {
    "uv.lock": ("uv run", "uv add --dev nomock"),
    "poetry.lock": ("poetry run", "poetry add --group dev nomock"),
}
# Folders of others' code, which have compose files of others.
_NOT_OURS = {"node_modules", "site-packages", "vendor", "venv", "__pycache__"}
_COMPOSE_LIKE = re.compile(r"(docker-)?compose[-_.].+\.ya?ml|.+[-_.]compose\.ya?ml")
# What is added to a stack, and is none by itself.
_ADDED = {
    *OVERRIDE_NAMES,
    Settings.coverage_overlay,
    Settings.traces_overlay,
    Settings.edges_overlay,
}


def stacks_below(folder: Path) -> list[Path]:
    """Return what has a stack in a folder and a few levels below it.

    A folder that has a compose file by a name that compose looks for; where it has none, each file
    that is one by its name: ``docker-compose.local.yml``.
    """
    found = []
    for here, folders, files in os.walk(folder):
        folders[:] = sorted(n for n in folders if not n.startswith(".") and n not in _NOT_OURS)
        if set(files) & set(COMPOSE_NAMES):
            found.append(Path(here))
        else:
            found += [Path(here) / name for name in sorted(files) if _is_of_a_stack(name)]
        if len(Path(here).relative_to(folder).parts) >= _DEEP:
            folders.clear()
    return found


def _is_of_a_stack(name: str) -> bool:
    """Tell whether a file is by its name one that somebody names to compose, and not nomock's."""
    return bool(_COMPOSE_LIKE.fullmatch(name)) and name not in _ADDED


def look(settings: Settings, folder: Path, stack: Stack, table: Mapping[str, object]) -> Found:
    """Return what is found of a project whose stack may run; asks nothing of who does not.

    ``table``: what was chosen for ``[tool.nomock]``.
    """
    project = stack.project
    findings = {f.service: f for f in survey(project, stack.engine, project.wanted)}
    running = {c.service for c in stack.containers() if c.state == "running"}
    database = _database(project)

    def one(name: str) -> FoundService:
        return _service(stack, project.services[name], findings[name], database, name in running)

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        services = list(pool.map(one, project.wanted))
    lock = next((name for name in _ENVIRONMENTS if (folder / name).is_file()), "")
    runner, installs = _ENVIRONMENTS.get(lock, ("", "pip install nomock"))
    return Found(
        settings=settings,
        folder=folder,
        services=services,
        table=table,
        contexts=contexts_of(project, settings.root),
        runner=runner,
        installs=installs,
        is_on_github=_is_on_github(folder),
        is_covered=any(s.python for s in services)
        or any(stack.engine.image_id(project.services[n].image) is None for n in project.wanted),
    )


def contexts_of(project: Project, root: Path) -> list[Path]:
    """Return the build contexts of a project in which the folder of its compose file lies."""
    found = {}
    for service in project.services.values():
        named = (service.config.get("build") or {}).get("context")
        context = Path(named or "")
        if named and context.is_dir() and root.resolve().is_relative_to(context.resolve()):
            found[context.resolve()] = context
    return sorted(found.values())


def _database(project: Project) -> str | None:
    try:
        return postgres_service(project, None)
    except ConfigError:
        return None


def _service(
    stack: Stack, config: ServiceConfig, finding: Finding, database: str | None, runs: bool
) -> FoundService:
    image = stack.engine.image_config(config.image)
    server = server_of(words_of(config.config, image)) if image else ""
    kind = "database (PostgreSQL)" if config.name == database else ""
    kind = kind or kind_of_image(str(config.config.get("image") or ""))
    kind = kind or ("worker" if is_worker(server) else "")
    python = "" if finding.reason or finding.python is None else str(finding.python)
    if config.name in stack.project.one_shots:
        return FoundService(config.name, "runs to its end", "", python, server)
    if not runs:
        return FoundService(config.name, kind, "", python, server, why_no_test="does not run")
    try:
        seen, why = _seen(stack, config.name, kind)
    except tries.AnswersBadlyError as error:
        return FoundService(config.name, "HTTP", "", python, server, why_no_test=str(error))
    if seen is None:
        return FoundService(config.name, kind, "", python, server, why_no_test=why)
    return FoundService(config.name, kind or seen.what, seen.how, python, server, seen.test)


def _seen(stack: Stack, name: str, kind: str) -> tuple[tries.Seen | None, str]:
    """Return what a service was seen to do, by the first try that shows something; or why none.

    Raises AnswersBadlyError.
    """
    service = stack[name]
    attempts: list[Callable[[], tries.Seen | None]]
    if kind == "database (PostgreSQL)":
        attempts = [partial(tries.postgres, stack)]
    elif kind.startswith("cache"):
        attempts = [partial(tries.redis, service)]
    elif kind.startswith(("database", "queue", "equipment")):
        attempts = []
    else:
        attempts = [partial(_twice, service)]
    attempts += [partial(t, service) for t in (tries.command, tries.tcp, tries.quiet)]
    why = ""
    for attempt in attempts:
        try:
            seen = attempt()
        except NomockError as error:
            why = why or error.what
            continue
        if seen is not None:
            return seen, ""
    trouble = tries.trouble(service)
    return None, why or f"its log has: {trouble}; nomock logs {name}"


def _twice(service: Service) -> tries.Seen | None:
    """Ask a service that answers badly once more: it may not be used to its first request."""
    try:
        return tries.http(service)
    except tries.AnswersBadlyError:
        return tries.http(service)


def _is_on_github(folder: Path) -> bool:
    """Tell whether a folder is the root of a repository of GitHub's, as far as it tells."""
    if (folder / ".github").is_dir():
        return True
    try:
        return "github.com" in (folder / ".git" / "config").read_text(errors="replace")
    except OSError:
        return False
