"""``nomock replay TEST``: run a test again as it ran, and say what is not the same."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from nomock.adapters.git import changes_since, commit_of
from nomock.cli.old_images import OldImages
from nomock.cli.running import environ_of
from nomock.config import Settings
from nomock.errors import EvidenceError, NomockError
from nomock.evidence.folder import EvidenceFolder
from nomock.replaying import SEEDS
from nomock.stack import Stack

_MOST_NAMED = 5


def replay(settings: Settings, part: str, *, order: bool, rest: Sequence[str]) -> int:
    """Run it; return pytest's exit code. ``order``: with the tests that ran before it."""
    record = find(EvidenceFolder(settings.state_dir), part)
    test, run = record["test"], record["run"]
    print(f"replay of {test['id']}, which {test['outcome']} in {run['name']}", flush=True)
    environ = environ_of(settings) | {SEEDS: json.dumps({test["id"]: test.get("seeds", [])})}
    for line in _differences(settings, record):
        print(f"not the same: {line}", flush=True)
    try:
        for line in _bring_back(Stack.of(settings), record, environ):
            print(line, flush=True)
    except NomockError as error:
        print(f"not the same, perhaps: the images: {error}", flush=True)
    before = test["order"] if order else []
    command = [sys.executable, "-m", "pytest", *before, test["id"], *_options(record), *rest]
    return subprocess.run(command, cwd=test["root"], env=environ, check=False).returncode


def find(folder: EvidenceFolder, part: str) -> dict[str, Any]:
    """Return the newest evidence of a test by its id or a part of it; raise EvidenceError."""
    for run in folder.runs():
        records, _ = folder.read(run)
        # A replay has lost the order of the first run: it is never what is played again.
        records = [r for r in records if not r.get("run", {}).get("is_replay")]
        ids = [record["test"]["id"] for record in records]
        found = [part] if part in ids else [id_ for id_ in ids if part in id_]
        if len(found) > 1:
            more = "" if len(found) <= _MOST_NAMED else f"\nand {len(found) - _MOST_NAMED} more"
            raise EvidenceError(
                f"{len(found)} tests have {part!r} in their name",
                where=str(folder.of_run(run)),
                seen="\n".join(found[:_MOST_NAMED]) + more,
                todo="name one of them",
            )
        if found:
            return records[ids.index(found[0])]
    raise EvidenceError(
        f"no test with {part!r} in its name has left any",
        where=str(folder.path),
        todo="a test that fails leaves some: run it; nomock diagnose has the ids of the last run",
    )


def _differences(settings: Settings, record: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is not now as it was: commit, versions."""
    run = record["run"]
    commit = commit_of(settings.root)
    if run["commit"] and commit != run["commit"]:
        yield f"the commit is {commit[:12] or 'not known'}, it was {run['commit'][:12]}"
    is_changed = bool(commit and changes_since(settings.root, commit))
    if run["is_changed"] or is_changed:
        yield "files were changed and not committed: " + " and ".join(
            word for word, is_so in (("then", run["is_changed"]), ("now", is_changed)) if is_so
        )
    yield from _versions(run)


def _versions(run: Mapping[str, Any]) -> Iterator[str]:
    import platform
    from importlib.metadata import version

    now = {
        "nomock": version("nomock"),
        "pytest": version("pytest"),
        "python": platform.python_version(),
        "machine": platform.platform(),
    }
    for name, value in now.items():
        if run[name] != value:
            yield f"{name} is {value}, it was {run[name]}"


def _bring_back(stack: Stack, record: Mapping[str, Any], environ: dict[str, str]) -> Iterator[str]:
    """Let pytest run it on the images it had, as far as they are here; yield what is to be said."""
    images = OldImages.of(stack, record)
    for name, was in images.gone.items():
        yield f"not the same: the image of {name} was {was[7:19]}, which is not here any more"
    if images.here:
        files = (*stack.project.files, images.write(stack))
        environ["NOMOCK_FILES"] = os.pathsep.join(map(str, files))
        environ["NOMOCK_PROJECT"] = stack.name
        shown = ", ".join(f"{name} {was[7:19]}" for name, was in images.here.items())
        yield f"with the images that it had, until the next run without this: {shown}"


def _options(record: Mapping[str, Any]) -> list[str]:
    """Return pytest's options without which it would be another run; older evidence has none."""
    run = record["run"]
    seed = run.get("random_seed")
    of_randomly = [f"--randomly-seed={seed}"] if seed is not None else []
    return [*(f"--nomock-{name}" for name in run.get("options", ())), *of_randomly]
