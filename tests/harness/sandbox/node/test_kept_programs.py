"""A program that takes minutes to build is built once, and never taken for whole when it is not."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from places import ROOT

# What it is called with says how it was made; half of it is there when it is killed.
GO = """#!/bin/sh
case $* in
    version) echo "go version ${GO_VERSION:-go1.26.8} linux/amd64"; exit ;;
esac
while [ "$1" != -o ]; do shift; done
echo half >"$2"
[ -z "${KILLED:-}" ] || kill -9 $PPID
echo whole >>"$2"
chmod +x "$2"
"""
BUILD = """
set -eu
. {images}/debian.sh
. {images}/go.sh
keep_program "$CACHE" module/prog "-X flag"
echo "$program"
"""


class Builder:
    """A folder with a module of Go, and a cache; go is a script that writes what it is told."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.cache = path / "prog-1.0"
        self.source = path / "module" / "prog" / "main.go"
        self.source.parent.mkdir(parents=True)
        self.source.write_text("package main\n")
        for name in ("go.mod", "go.sum"):
            (path / "module" / name).touch()
        (path / "bin").mkdir()
        for name, text in {"go": GO, "docker": "#!/bin/sh\necho amd64\n"}.items():
            (path / "bin" / name).write_text(text)
            (path / "bin" / name).chmod(0o755)

    def build(self, **environ: str) -> list[str]:
        """Build and return the lines that were printed."""
        done = subprocess.run(
            ["sh", "-c", BUILD.format(images=ROOT / "images")],
            cwd=self.path,
            env={
                "PATH": f"{self.path}/bin:/usr/bin:/bin",
                "HOME": "/nowhere",
                "CACHE": str(self.cache),
                **environ,
            },
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
        return done.stdout.splitlines()

    def programs(self) -> list[str]:
        """The names of the programs in the cache."""
        return sorted(path.name for path in self.cache.glob("prog-*"))


@pytest.fixture
def builder(tmp_path: Path) -> Builder:
    return Builder(tmp_path)


def test_a_program_should_be_built_once_when_it_is_asked_for_again(builder: Builder) -> None:
    first = builder.build()
    assert first[0] == "==> compile prog"
    assert Path(first[1]).read_text() == "half\nwhole\n"
    assert builder.build() == first[1:]


@pytest.mark.parametrize("changed", ["prog/main.go", "go.mod", "go.sum"])
def test_a_program_should_be_built_anew_when_what_it_is_made_of_changed(
    builder: Builder, changed: str
) -> None:
    builder.build()
    (builder.path / "module" / changed).write_text("something else\n")
    step, program = builder.build()
    assert step == "==> compile prog"
    assert builder.programs() == [Path(program).name]


def test_a_program_should_be_built_anew_when_go_is_another_one(builder: Builder) -> None:
    builder.build()
    assert builder.build(GO_VERSION="go1.27.0")[0] == "==> compile prog"


def test_half_a_program_should_not_be_taken_for_whole_when_its_build_was_killed(
    builder: Builder,
) -> None:
    assert builder.build(KILLED="yes") == ["==> compile prog"]
    assert all(name.endswith(".part") for name in builder.programs())
    step, program = builder.build()
    assert step == "==> compile prog"
    assert Path(program).read_text() == "half\nwhole\n"
    assert builder.programs() == [Path(program).name]
