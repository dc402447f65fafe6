"""The rules of .dockerignore files, compared with what docker makes of the same ones."""

from __future__ import annotations

import os
import random
import subprocess
from pathlib import Path

from nomock.project.ignore import Ignore, read_lines
from nomock.project.scan import scan

_NAMES = ("a", "b", "ab", "a.py", "b.py", "x y", "a+b", "[a]", "é", ".env", "a*b")
_PARTS = (
    *_NAMES,
    "*",
    "?",
    "**",
    "*.py",
    "a*",
    "[ab]",
    "[^a]",
    "[a-b]*",
    "**b",
    "a**",
    "\\a",
    "é*",
)
_HOW = ("{}", "{}", "!{}", "/{}", "{}/", "./{}", " {} ", "! {}", "#{}", " #{}", "{}/../a", "!{}/*")
_BY_HAND = (
    b"*\n!a\na/b.py\n",
    b"**\n!**/*.py\n",
    b"\xef\xbb\xbfa\r\n!a/b\r\n",
    b"# a\n #b\na/**\n",
    b"**/b.py\n!a/**/b.py\n.\n/\n..\n",
    b"a/b.py\n!a\n",
    b"\xe9*\n\xe9\nb*\n",
    b"!a\n!b\n",
    b"**/a/b\n**a.py\n",
    b"*/*\n!*/b\n\n\n",
    b"\\[a]\na\\*b\n",
    b"",
)
_CASES = 60


def _rules(chance: random.Random) -> bytes:
    lines = []
    for _ in range(chance.randint(1, 5)):
        pattern = "/".join(chance.choices(_PARTS, k=chance.randint(1, 3)))
        lines.append(chance.choice(_HOW).format(pattern))
    return "\n".join(lines).encode()


def _plant(folder: Path, chance: random.Random) -> None:
    for _ in range(25):
        *above, name = chance.choices(_NAMES, k=chance.randint(1, 4))
        path = folder.joinpath(*above, name)
        if not any(p.is_file() for p in (path, *path.parents)) and not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("1")


def _files(folder: Path) -> set[str]:
    return {
        os.path.relpath(Path(where, name), folder)
        for where, _, names in os.walk(folder)
        for name in names
    }


def _kept(folder: Path) -> set[str]:
    ignore = Ignore(read_lines(folder / ".dockerignore"))
    return {entry.path for entry in scan(str(folder), ignore) if not entry.is_folder}


def test_the_files_should_be_those_that_docker_sends_when_the_rules_are_made_by_chance(
    tmp_path: Path,
) -> None:
    chance = random.Random(7)
    contexts = {f"c{number}": tmp_path / f"c{number}" for number in range(_CASES)}
    for number, folder in enumerate(contexts.values()):
        folder.mkdir()
        _plant(folder, chance)
        rules = _BY_HAND[number] if number < len(_BY_HAND) else _rules(chance)
        (folder / ".dockerignore").write_bytes(rules)
    copies = [f"COPY --from={name} . /{name}/\n" for name in contexts]
    (tmp_path / "Dockerfile").write_text("FROM scratch\n" + "".join(copies))
    named = [f"--build-context={name}={folder}" for name, folder in contexts.items()]
    command = ["docker", "buildx", "build", *named, "--output", f"type=local,dest={tmp_path}/out"]
    file = ["--file", str(tmp_path / "Dockerfile")]
    done = subprocess.run([*command, *file, str(tmp_path / "c0")], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for name, folder in contexts.items():
        rules = (folder / ".dockerignore").read_bytes()
        assert _kept(folder) == _files(tmp_path / "out" / name), rules
