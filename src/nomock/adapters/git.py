"""git, as far as the story of a failure and the choice of tests need it.

What has no revision of the user's answers nothing where there is no repository: a story goes on
without. ``Revision`` raises ConfigError: who names one has to be told.
"""

from __future__ import annotations

import os
import subprocess
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from nomock.errors import ConfigError


def snapshot(root: Path) -> str:
    """Return a commit that holds the tracked files as they are now; "" without a repository.

    ``git stash create`` makes a commit object of uncommitted changes and touches nothing.
    """
    return _git(root, "stash", "create") or _git(root, "rev-parse", "HEAD")


def commit_of(folder: Path) -> str:
    """Return the name of the commit that is checked out; "" without a repository."""
    return _git(folder, "rev-parse", "HEAD")


def top_of(folder: Path) -> Path | None:
    """Return the folder of the work tree that a folder is in; None without a repository."""
    top = _git(folder, "rev-parse", "--show-toplevel")
    return Path(top) if top else None


def changes_since(root: Path, commit: str) -> str:
    """Return ``git diff --stat`` from a commit to the files as they are now."""
    return _git(root, "diff", "--stat", commit)


def changed_files(root: Path, commit: str) -> list[Path]:
    """Return the tracked files that are not now as a commit has them; [] without a repository."""
    top = _git(root, "rev-parse", "--show-toplevel")
    names = _git(root, "diff", "--name-only", "--no-renames", "-z", commit)
    return [Path(top) / name for name in names.split("\0") if name]


# What a run writes by the way is larger than a source, as a rule, and is ignored if it is not.
_MOST_UNTRACKED_BYTES = 1_000_000
_BY_THE_WAY = ("__pycache__", ".pytest_cache", ".hypothesis")


def tree_of(root: Path) -> str:
    """Return git's name of the files as they are now; committed or not, the same have one.

    Files that git does not know yet are in it where they are no larger than a source; what
    .gitignore names is not. Nothing is written into the repository: index and objects are copies.
    "" without a repository, and in the middle of a merge.
    """
    with TemporaryDirectory(prefix="nomock-tree-") as folder:
        paths = _git(
            root, "rev-parse", "--show-toplevel", "--git-path", "index", "--git-path", "objects"
        )
        if not paths:
            return ""
        top, index, objects = (root / path for path in paths.split("\n"))
        own = Path(folder, "index")
        if index.exists():  # a copy keeps what git knows of each file's time: few are read
            own.write_bytes(index.read_bytes())
        known = [str(objects), os.environ.get("GIT_ALTERNATE_OBJECT_DIRECTORIES", "")]
        environ = {
            "GIT_INDEX_FILE": str(own),
            "GIT_OBJECT_DIRECTORY": folder,
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": os.pathsep.join(filter(None, known)),
        }
        try:
            _run(top, "add", "--update", "--ignore-errors", environ=environ)
            others = _run(top, "ls-files", "--others", "--exclude-standard", "-z", environ=environ)
            new = [os.fsencode(path) for path in _paths(others.stdout) if _is_source(top / path)]
            _run(
                top,
                "update-index",
                "--add",
                "-z",
                "--stdin",
                stdin=b"\0".join(new),
                environ=environ,
            )
            done = _run(top, "write-tree", environ=environ)
        except FileNotFoundError:
            return ""
    return done.stdout.decode().strip() if done.returncode == 0 else ""


def _is_source(path: Path) -> bool:
    if any(name in path.parts for name in _BY_THE_WAY):
        return False
    try:
        return path.is_file() and path.stat().st_size <= _MOST_UNTRACKED_BYTES
    except OSError:
        return False


def ignored(root: Path, paths: Iterable[Path]) -> set[Path]:
    """Return those of the paths that .gitignore names; none without a repository."""
    listed = b"\0".join(os.fsencode(path) for path in paths)
    try:
        done = _run(root, "check-ignore", "-z", "--stdin", stdin=listed)
    except FileNotFoundError:
        return set()
    return set(_paths(done.stdout))


@dataclass(frozen=True)
class Change:
    """How often a file was changed."""

    commits: int
    lines: int
    """Added and removed."""


@dataclass(frozen=True)
class History:
    """What commits changed in the last months."""

    commits: int
    all_commits: int
    """How many there are, of any age."""
    is_shallow: bool
    """Whether the clone lacks commits that there were."""
    changes: Mapping[Path, Change]


def history_of(root: Path, months: int) -> History | None:
    """Return what changed; None without a repository, and where it has no commit.

    Merges are not counted: what they bring was. A file that was renamed begins anew.
    """
    top, shallow = top_of(root), _git(root, "rev-parse", "--is-shallow-repository")
    if top is None or not commit_of(root):
        return None
    since = (f"--since={months} months ago", "--no-merges", "--no-renames")
    listed = _run(root, "log", *since, "--numstat", "--format=%x01", "-z")
    commits, lines = defaultdict[Path, int](int), defaultdict[Path, int](int)
    for part in listed.stdout.split(b"\0"):
        # The first of a commit has its mark before it; a binary file has no number of lines.
        added, _, rest = part.strip(b"\x01\n").partition(b"\t")
        removed, _, name = rest.partition(b"\t")
        if name:
            path = top / os.fsdecode(name)
            commits[path] += 1
            lines[path] += sum(int(number) for number in (added, removed) if number.isdigit())
    changes = {path: Change(count, lines[path]) for path, count in commits.items()}
    all_ = int(_git(root, "rev-list", "--count", "HEAD") or 0)
    return History(listed.stdout.count(b"\x01"), all_, shallow == "true", changes)


class Revision:
    """The files of a repository as they are at a commit."""

    def __init__(self, root: Path, name: str) -> None:
        """Find the commit by any name that git knows; raise ConfigError where there is none."""
        self.name = name
        self.top = Path(os.fsdecode(self._ask(root, "rev-parse", "--show-toplevel").rstrip(b"\n")))
        """The folder of the work tree."""
        found = _run(
            root, "rev-parse", "--verify", "--quiet", "--end-of-options", name + "^{commit}"
        )
        if found.returncode != 0:
            raise ConfigError(
                f"git knows no revision {name!r}",
                where=str(self.top),
                todo="name a branch, a tag or a commit; a shallow clone may lack it: git fetch",
            )
        self._commit = found.stdout.decode().strip()

    def changed(self) -> list[Path]:
        """Return the files that are not now as they were then, the new and the removed ones too.

        What .gitignore names is not known to git, and never among them.
        """
        differ = self._ask(self.top, "diff", "--name-only", "--no-renames", "-z", self._commit)
        new = self._ask(self.top, "ls-files", "--others", "--exclude-standard", "-z")
        return sorted({self.top / path for path in _paths(differ + new)})

    def content(self, path: Path) -> bytes | None:
        """Return what a file held then; None where it was not there."""
        name = path.relative_to(self.top).as_posix()
        done = _run(self.top, "cat-file", "blob", f"{self._commit}:{name}")
        return done.stdout if done.returncode == 0 else None

    @staticmethod
    def _ask(folder: Path, *words: str) -> bytes:
        try:
            done = _run(folder, *words)
        except FileNotFoundError as error:
            raise ConfigError(
                "git is not installed, and a revision was named", where=str(folder)
            ) from error
        if done.returncode != 0:
            raise ConfigError(
                "git cannot tell what changed since a revision",
                where=str(folder),
                seen=done.stderr.decode(errors="replace").strip(),
            )
        return done.stdout


def _paths(listed: bytes) -> Iterable[Path]:
    return (Path(os.fsdecode(path)) for path in listed.split(b"\0") if path)


def _git(root: Path, *words: str) -> str:
    try:
        done = _run(root, *words)
    except FileNotFoundError:
        return ""
    return done.stdout.decode(errors="replace").rstrip() if done.returncode == 0 else ""


def _run(
    folder: Path, *words: str, stdin: bytes = b"", environ: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        ["git", "-C", str(folder), *words],
        input=stdin,
        env={**os.environ, **(environ or {})},
        capture_output=True,
        check=False,
    )
