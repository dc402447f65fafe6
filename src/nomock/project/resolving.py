"""Resolve a compose project: ask compose, or use its last answer while all it read is the same.

Compose needs 80 ms to resolve its files, and python-on-whales 200 ms to import, so the answer is
kept under ``.nomock/`` with the digest of every file and variable that it came from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from nomock.adapters.compose_call import Call
from nomock.config import COMPOSE_NAMES, Settings
from nomock.errors import ConfigError
from nomock.project import intention
from nomock.project.build_context import mounted_files
from nomock.project.inputs import digest_of, fetches, key_of, read_by
from nomock.project.left_out import LeftOut
from nomock.project.model import Project, ServiceConfig, stamp_of, waited_for
from nomock.project.store import Store
from nomock.project.written import stores_of

# How often compose is asked again where its files change while it reads them.
_MOST_CHANGES = 3


def resolve(settings: Settings) -> Project:
    """Return the project of the settings' compose files.

    Raises ConfigError where there is no compose file, or compose cannot read it.
    """
    if settings.trouble is not None:
        raise settings.trouble
    if not settings.files:
        raise ConfigError(
            "no compose file here",
            where=str(settings.folder),
            seen=_hint(settings.folder),
            todo="add a docker-compose.yml, or name it: files in [tool.nomock], or --stack-file",
        )
    call = call_of(settings)
    store = Store(settings.state_dir, "resolved-" + key_of(call))
    entry = store.read()
    if not _is_current(entry, settings.files):
        entry = _asked(call, settings.files)
        store.write(entry)
    read = tuple(path for path in map(Path, entry["read"]) if path.is_file())
    project = project_of(entry["config"], settings, call, read)
    warnings = tuple(entry.get("warnings", ()))
    return replace(project, warnings=warnings, stamp=stamp_of(read))


def _hint(folder: Path) -> str:
    """Say where there is a compose file, if one is in a folder below."""
    there = sorted(p for name in COMPOSE_NAMES for p in folder.glob(f"*/{name}"))
    return f"there is {there[0].relative_to(folder)}: call it in that folder" if there else ""


def call_of(settings: Settings) -> Call:
    """Return how compose is called for some settings: as its user would, where that is enough."""
    if settings.found is None:
        return Call(settings.folder, named=settings.files, project=settings.project)
    chosen = () if settings.files == settings.found else settings.files
    return Call(settings.folder, chosen=chosen, project=settings.project)


def _is_current(entry: Mapping[str, Any], files: Sequence[Path]) -> bool:
    """Whether compose would answer the same: of these files, an override that has come among them.

    One that has gone changes the digest. What compose fetched may be new, which it alone can tell.
    """
    return (
        entry.keys() >= {"config", "read", "digest", "fetched"}
        and not entry["fetched"]
        and set(map(str, files)) <= set(entry["read"])
        and entry["digest"] == digest_of(entry["read"])
    )


def _asked(call: Call, files: Sequence[Path]) -> dict[str, Any]:
    """Let compose resolve; again where a file was changed meanwhile."""
    from nomock.adapters.compose import Compose

    for left in reversed(range(_MOST_CHANGES)):
        paths = read_by(call, files)
        digest = digest_of(paths)
        warnings: list[str] = []
        try:
            config = Compose(call).config(", ".join(map(str, files)), warnings.append)
        except ConfigError:
            if left and digest != digest_of(paths):
                continue  # it was half written
            raise
        if digest == digest_of(paths):
            break
    # Where it goes on changing the digest is of before: the next run asks again.
    read = [str(path) for path in paths]
    told = {"config": config, "read": read, "digest": digest, "warnings": warnings}
    return {**told, "fetched": fetches(paths)}


def project_of(
    config: Mapping[str, Any], settings: Settings, call: Call, read: tuple[Path, ...] = ()
) -> Project:
    """Return the project of a resolved configuration; ``read`` are the files it was read from."""
    name = config["name"]
    overlays = (settings.coverage_overlay, settings.edges_overlay)
    left_out = LeftOut(settings.root, settings.coverage_report, overlays)
    configs = config.get("services") or {}
    stores = stores_of(configs.values())
    services = {
        n: ServiceConfig(
            n, c, name, tuple(mounted_files(c, config)), left_out, settings.state_dir, stores
        )
        for n, c in sorted(configs.items())
    }
    jobs = {name for name, service in services.items() if intention.is_job(service.config)}
    done = waited_for(services, "service_completed_successfully") | jobs
    return Project(
        name,
        settings.files,
        services,
        done,
        call=replace(call, project=name),
        read=read,
        root=settings.root,
        config=config,
    )
