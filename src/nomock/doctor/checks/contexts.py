"""Build contexts of which everything is sent to the builder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from nomock.doctor.seen import Seen
from nomock.doctor.trouble import Trouble

# What no image needs, and what makes a context large or new after each run.
_HEAVY = (".git", "node_modules", ".venv", "venv", ".tox")

_TESTS = ("tests", "test")


def look(seen: Seen) -> Iterator[Trouble]:
    """Yield each context in which something heavy lies, or tests, without a word of that."""
    contexts: dict[Path, list[str]] = {}
    for name, service in seen.project.services.items():
        context = Path((service.config.get("build") or {}).get("context") or "/nowhere")
        if context.is_dir():
            contexts.setdefault(context, []).append(name)
    for context, names in contexts.items():
        heavy = [name for name in _HEAVY if (context / name).exists()]
        if heavy and not _is_ignored(context, seen, names):
            service = seen.project.services[names[0]]
            yield Trouble(
                seen.place(service, "build"),
                f"the build context of {', '.join(names)} has no .dockerignore",
                f"{' and '.join(heavy)} go to the builder, and a change there builds anew",
                f"write {context / '.dockerignore'}: {', '.join(heavy)}",
                is_certain=False,
            )
        tests = [name for name in _TESTS if (context / name).is_dir()]
        service = seen.project.services[names[0]]
        if tests and not service.build.contexts[0].users.ignores(tests[0]):
            yield Trouble(
                seen.place(service, "build"),
                f"the build context of {', '.join(names)} holds the tests",
                f"each edit below {tests[0]} builds and starts {', '.join(names)} anew",
                f"where no image needs them, name them in {context / '.dockerignore'}: {tests[0]}",
                is_certain=False,
            )


def _is_ignored(context: Path, seen: Seen, names: list[str]) -> bool:
    builds = (seen.project.services[name].config["build"] for name in names)
    files = [context / ".dockerignore"]
    # https://docs.docker.com/build/concepts/context/#filename-and-location
    files += [
        context / f"{build.get('dockerfile') or 'Dockerfile'}.dockerignore" for build in builds
    ]
    return any(path.is_file() for path in files)
