"""nomock and compose choose alike: which files, which folder, which name, which variables."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import IMAGE

from nomock.adapters.compose import Compose
from nomock.errors import ConfigError
from nomock.loading import load
from nomock.project import resolve

FOLDERS = ["shop", "Kasse, Nord", "my shop (v2)", "a$b#c%20", "UP.case", "Проект"]
NAMES = ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"]
OVERRIDES = ["", "compose.override.yml", "docker-compose.override.yaml"]
# What names a file of variables, and the file that this is for compose.
ENV_FILES = [
    ("settings.${STAGE:-dev}.env", "settings.dev.env"),
    ("env files/common.env", "env files/common.env"),
    ("app@dev.env", "app@dev.env"),
    ("a,b.env", "a,b.env"),
    ("./sub/../x'y.env", "x'y.env"),
    ("${WHERE:-.}/deep.env", "deep.env"),
]
# The forms in which such a name stands in a compose file; the name is put in as JSON.
FORMS = [
    "    env_file: %s\n",
    "    env_file: [%s]\n",
    "    env_file:\n      - %s  # ours\n",
    "    env_file:\n      - path: %s\n        required: false\n",
    "    env_file: [{path: %s, required: false}]\n",
]
DOTENVS = [
    "",
    "SHOP=harbour\n",
    "export SHOP='har bour' # the usual\n",
    "  SHOP = harbour\n",
    "STAGE=dev\nSHOP=${STAGE}-shop\n",
    'SHOP="har#bour"\nCOMPOSE_PROJECT_NAME=named-by-dotenv\n',
    "COMPOSE_FILE=FILES\n",
    "export COMPOSE_FILE=FILES\n",
    "  COMPOSE_FILE = FILES\n",
    'COMPOSE_FILE="FILES" # the usual set\n',
    "\ufeffCOMPOSE_FILE=FILES\n",
    "BASE=base\nCOMPOSE_FILE=deploy/${BASE}.yml\n",
    "COMPOSE_PATH_SEPARATOR=,\nCOMPOSE_FILE=deploy/base.yml,deploy/more.yml\nSHOP=x\n",
    "# COMPOSE_FILE=gone.yml\nSHOP=y\n",
    "COMPOSE_FILE=gone.yml\n",
    "COMPOSE_PROFILES=extra\n",
    "SHOP='open\n",
]
ENVIRONS: list[dict[str, str]] = [
    {},
    {"SHOP": "corner", "STAGE": "prod"},
    {"COMPOSE_PROJECT_NAME": "named-by-environment"},
    {"COMPOSE_FILE": "deploy/base.yml"},
    {"COMPOSE_FILE": ""},
    {"COMPOSE_PROFILES": "extra"},
    {"COMPOSE_ENV_FILES": "other.env"},
]


@dataclass(frozen=True)
class Layout:
    """A project, and where its user stands in it."""

    folder: str
    name: str
    override: str
    link: str
    """What is a link: nothing, the compose file, or the folder."""
    env_file: tuple[str, str]
    form: str
    dotenv: str
    environ: Mapping[str, str]
    stands: str
    include: bool


LAYOUTS = st.builds(
    Layout,
    folder=st.sampled_from(FOLDERS),
    name=st.sampled_from(NAMES),
    override=st.sampled_from(OVERRIDES),
    link=st.sampled_from(["", "", "file", "folder"]),
    env_file=st.sampled_from(ENV_FILES),
    form=st.sampled_from(FORMS),
    dotenv=st.sampled_from(DOTENVS),
    environ=st.sampled_from(ENVIRONS),
    stands=st.sampled_from(["", "", "tests"]),
    include=st.booleans(),
)


@contextmanager
def laid_out(layout: Layout) -> Iterator[Path]:
    """Write a layout; give the folder where its user stands, and stand there."""
    with tempfile.TemporaryDirectory() as top:
        real = Path(top, "real" if layout.link == "folder" else layout.folder)
        folder = Path(top, layout.folder)
        for sub in ("tests", "deploy", "infra", "sub", "env files", "part"):
            (real / sub).mkdir(parents=True)
        if folder != real:
            folder.symlink_to(real)
        include = "include: [part/stack.yml]\n" if layout.include else ""
        service = (
            f"  web:\n    image: {IMAGE}\n    environment: [SHOP, 'SIZE=${{SHOP:-none}}']\n"
            + layout.form % json.dumps(layout.env_file[0])
        )
        text = f"{include}services:\n{service}  more: {{image: x, profiles: [extra]}}\n"
        compose = real / ("infra" if layout.link == "file" else ".") / layout.name
        compose.write_text(text, encoding="utf-8")
        if layout.link == "file":
            (real / layout.name).symlink_to(f"infra/{layout.name}")
        if layout.override:
            (real / layout.override).write_text("services: {web: {labels: {over: ridden}}}")
        for place in (real, real / "infra"):
            (place / "env files").mkdir(exist_ok=True)
            (place / layout.env_file[1]).write_text("COLOR=red\nPASSED\n", encoding="utf-8")
        (real / "deploy/base.yml").write_text(
            "services: {web: {image: y, env_file: [base.env], environment: [SHOP]}}"
        )
        (real / "deploy/more.yml").write_text("services: {web: {command: [more]}}")
        (real / "deploy/base.env").write_text("COLOR=green\n")
        (real / "part/stack.yml").write_text(
            "services: {part: {image: z, env_file: ['${KIND:-x}.env'], environment: [SHOP]}}"
        )
        (real / "part/.env").write_text("KIND=part\n")
        (real / "part/part.env").write_text("COLOR=blue\n")
        (real / "other.env").write_text("SHOP=other\n")
        (real / "tests/.env").write_text("SHOP=of-the-tests\n")
        if layout.dotenv:
            files = f"{layout.name}:deploy/more.yml"
            (real / ".env").write_text(layout.dotenv.replace("FILES", files), encoding="utf-8")
        stand = folder / layout.stands
        with in_environment(stand, layout.environ):
            yield stand


@contextmanager
def in_environment(stand: Path, environ: Mapping[str, str]) -> Iterator[None]:
    before, here = dict(os.environ), Path.cwd()
    try:
        for name in [n for n in os.environ if n.startswith(("COMPOSE_", "NOMOCK_"))]:
            del os.environ[name]
        os.environ.update(environ)
        os.environ["PWD"] = str(stand)
        os.chdir(stand)
        yield
    finally:
        os.chdir(here)
        os.environ.clear()
        os.environ.update(before)


def as_compose_has_it() -> dict[str, Any] | None:
    """Return what compose resolves where its user stands; None where it refuses."""
    command = ["docker", "compose", "config", "--format", "json"]
    done = subprocess.run(command, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout or "null")
    return None if done.returncode else found


def as_nomock_has_it(stand: Path) -> dict[str, Any] | None:
    try:
        project = resolve(load(stand))
    except ConfigError:
        return None
    return {"name": project.name, "services": {n: s.config for n, s in project.services.items()}}


def assert_alike(stand: Path) -> None:
    theirs = as_compose_has_it()
    if theirs is not None:
        text = json.dumps({"name": theirs["name"], "services": theirs["services"]})
        theirs = json.loads(text.replace("$$", "$"))
    assert as_nomock_has_it(stand) == theirs


@pytest.mark.slow
@settings(max_examples=40, deadline=None, derandomize=True)
@given(layout=LAYOUTS, data=st.data())
def test_nomock_should_choose_what_compose_chooses_when_there_are_many_files_and_one_changes(
    layout: Layout, data: st.DataObject
) -> None:
    with laid_out(layout) as stand:
        assert_alike(stand)
        top = stand.parent if layout.stands else stand
        files = [p for p in top.rglob("*") if p.is_file() and ".nomock" not in p.parts]
        changed = data.draw(st.sampled_from(sorted(files)))
        text = changed.read_text(encoding="utf-8")
        for old, new in (("COLOR=", "TINT="), ("SHOP=", "SHOP=new-"), ("image: ", "image: new-")):
            text = text.replace(old, new)
        changed.write_text(text, encoding="utf-8")
        assert_alike(stand)


def test_a_compose_file_should_count_when_it_comes_beside_those_that_were_read(
    tmp_path: Path,
) -> None:
    coming = {
        "docker-compose.yml": "services: {web: {image: x}}",
        "docker-compose.override.yml": "services: {web: {labels: {over: ridden}}}",
        "compose.yaml": "services: {web: {image: y}}",
    }
    with in_environment(tmp_path, {}):
        for name, text in coming.items():
            (tmp_path / name).write_text(text)
            assert_alike(tmp_path)


@pytest.mark.parametrize(
    ("name", "is_asked"), [("_", False), ("SHOP", False), ("MY_SHOP", True), ("my.key", True)]
)
def test_compose_should_be_asked_again_only_when_a_variable_that_a_file_names_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, is_asked: bool
) -> None:
    (tmp_path / "compose.yaml").write_text(
        "services: {web: {image: 'x:${MY_SHOP:-1}', environment: [my.key]}}"
    )
    asked = []
    config = Compose.config
    monkeypatch.setattr(Compose, "config", lambda *a: [asked.append(a), config(*a)][1])
    with in_environment(tmp_path, {name: "before"}):
        resolve(load(tmp_path))
        os.environ[name] = "after"
        resolve(load(tmp_path))
        assert len(asked) == (2 if is_asked else 1)
        assert_alike(tmp_path)
