"""`nomock promote --render`: files, the report, and what is refused."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from places import ROOT
from schemas import checked
from tiny import Tiny

from nomock.sandbox.render.writing import as_yaml
from nomock.sandbox.validate import validate

SHOP = """
x-own: &own {image: "shop:1"}
services:
  db:
    <<: *own
    environment: {PASSWORD: s3cret-value, ZONE: "1e3", ANSWER: "y", OCTAL: "0o14", TEXT: "a\\n b"}
    healthcheck: {test: "pg_isready -U $$USER"}
    stop_signal: SIGINT
  web:
    <<: *own
    secrets: [token]
    depends_on: {db: {condition: service_healthy}}
secrets: {token: {environment: SHOP_TOKEN}}
"""
# What a plain run, and one of a command that knows nothing of sandboxes, has loaded at its end.
LOADED = """
import sys
{code}
print(sorted({{name.partition(".")[0] for name in sys.modules}} & {packages}))
"""
PACKAGES = {"lightkube", "kubernetes_validate", "jsonschema", "msgspec", "httpx2", "yaml"}


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_one_file_for_each_service_and_one_for_secrets_should_be_written_when_rendered(
    tiny: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_TOKEN", "the token")
    tiny.compose_text(SHOP)
    done = tiny.nomock("promote", "--render", "out", "--id", "pr-7")
    assert done.ret == 0, done.stderr
    assert done.outlines == [
        "service  key          value   has no translation",
        "db       stop_signal  SIGINT  not all clusters can choose a signal: "
        "the image's own STOPSIGNAL, or SIGTERM",
        "wrote 11 objects in 4 files to out, valid for Kubernetes 1.36; untranslated keys: 1",
    ]
    out = tiny.path / "out"
    assert files(out) == ["00-sandbox.yaml", "00-secrets.yaml", "01-db.yaml", "02-web.yaml"]
    assert (out / "00-secrets.yaml").stat().st_mode & 0o777 == 0o600
    texts = {name: (out / name).read_text(encoding="utf-8") for name in files(out)}
    secrets = texts.pop("00-secrets.yaml")
    assert "s3cret-value" not in str(texts.values())
    assert {found["kind"] for found in yaml.safe_load_all(secrets)} == {"Secret"}
    found = [o for text in (secrets, *texts.values()) for o in yaml.safe_load_all(text)]
    validate(found)
    assert {o["metadata"].get("namespace") for o in found} == {None, "nomock-pr-7"}
    assert '          value: "1e3"\n' in texts["01-db.yaml"]
    assert '          value: "y"\n' in texts["01-db.yaml"]
    assert '          value: "0o14"\n' in texts["01-db.yaml"]
    assert "          value: |-\n            a\n             b\n" in texts["01-db.yaml"]
    assert "pg_isready -U $USER" in texts["01-db.yaml"]


def test_only_files_of_ours_should_be_taken_away_when_render_writes_into_a_folder_again(
    tiny: Tiny,
) -> None:
    tiny.compose_text("services: {old: {image: a}}")
    assert tiny.nomock("promote", "--render", "out").ret == 0
    tiny.compose_text("services: {new: {image: a}}")
    assert tiny.nomock("promote", "--render", "out").ret == 0
    assert files(tiny.path / "out") == ["00-sandbox.yaml", "01-new.yaml"]
    mine = tiny.write("out/mine.yaml", "mine")
    done = tiny.nomock("promote", "--render", "out")
    assert done.ret == 1
    assert tiny.plain(done.stderr.str()) == (
        "DIR/out: this folder holds what nomock did not write there\n"
        "  mine.yaml\n"
        "-> name an empty folder, or one that was written so before"
    )
    assert mine.read_text(encoding="utf-8") == "mine"
    assert files(tiny.path / "out") == ["00-sandbox.yaml", "01-new.yaml", "mine.yaml"]


def test_strict_should_refuse_and_write_nothing_when_a_key_is_lost(tiny: Tiny) -> None:
    tiny.compose_text("services: {web: {image: a, privileged: true, dns: [1.1.1.1]}}")
    done = tiny.nomock("promote", "--render", "out", "--strict")
    assert done.ret == 1
    assert done.stderr.str() == (
        "compose file: keys without a translation: 2\n"
        "  web: dns\n"
        "  web: privileged\n"
        "-> the table above says why, and what each means; change the file, or go on without "
        "--strict"
    )
    assert [line.split()[:2] for line in done.outlines] == [
        ["service", "key"],
        ["web", "dns"],
        ["web", "privileged"],
    ]
    assert not (tiny.path / "out").exists()
    tiny.compose_text("services: {web: {image: a, read_only: true}}")
    assert tiny.nomock("promote", "--render", "out", "--strict").ret == 0


def test_all_that_the_table_says_should_be_told_when_json_is_asked(tiny: Tiny) -> None:
    tiny.compose_text(SHOP.replace("SHOP_TOKEN", "HOME"))
    done = tiny.nomock("promote", "--render", "out", "--json")
    assert checked("promote-render", done.stdout.str()) == {
        "folder": str(tiny.path / "out"),
        "files": ["00-sandbox.yaml", "00-secrets.yaml", "01-db.yaml", "02-web.yaml"],
        "waves": [["db"], ["web"]],
        "untranslated": [
            {
                "service": "db",
                "key": "stop_signal",
                "value": "SIGINT",
                "why": "not all clusters can choose a signal",
                "meaning": "the image's own STOPSIGNAL, or SIGTERM",
            }
        ],
    }


def test_the_packages_should_be_asked_for_when_they_are_not_installed(tiny: Tiny) -> None:
    tiny.compose_text("services: {web: {image: a}}")
    blocked = (
        "import sys\n"
        "sys.modules['lightkube'] = None\n"
        "from importlib import util\n"
        "found = util.find_spec\n"
        "util.find_spec = lambda name: None if name == 'lightkube' else found(name)\n"
        "from nomock.cli.main import main\n"
        "sys.exit(main(['promote', '--render', 'out']))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", blocked], cwd=tiny.path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (
        1,
        "nomock[sandbox]: the packages that sandboxes need are not installed\n"
        "  missing: lightkube\n"
        "-> pip install 'nomock[sandbox]'\n",
    )


@pytest.mark.parametrize(
    "code",
    [
        "import nomock; nomock.Stack; nomock.Faults",
        "from nomock.cli.main import main; main(['status'])",
        "import pytest; pytest.main(['-q', '-p', 'no:cacheprovider', 'test_tiny.py'])",
    ],
)
def test_nothing_of_the_extra_should_be_loaded_when_nobody_promotes(tiny: Tiny, code: str) -> None:
    tiny.compose_text("services: {web: {image: a}}")
    tiny.tests("def test_plain(): pass\n")
    done = subprocess.run(
        [sys.executable, "-c", LOADED.format(code=code, packages=PACKAGES)],
        cwd=tiny.path,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.splitlines()[-1:] == ["[]"], done.stdout + done.stderr


@pytest.mark.parametrize(
    "text",
    ["1e3", "0o14", "0x1F", "y", "N", "yes", "null", "~", "1_000", "12:30", "-", ".5", " a", ""],
)
def test_a_text_should_be_quoted_when_some_version_of_yaml_reads_it_as_something_else(
    text: str,
) -> None:
    class Found:
        def to_dict(self) -> dict[str, str]:
            return {"value": text}

    written = as_yaml([Found()])
    assert yaml.safe_load(written) == {"value": text}
    assert written.partition(": ")[2][0] in "\"'"


SPIED = """
services:
  web: {image: "shop:1", environment: {NOMOCK_SPY_OUT: /data}}
  traced: {image: "shop:1", environment: {NOMOCK_TRACER: /nomock-tracer}}
  proxy: {image: "shopify/toxiproxy:2"}
"""


@pytest.mark.slow
@pytest.mark.parametrize("marked", ['"release"', '{nomock-local = "release"}'])
def test_equipment_of_tests_should_be_refused_when_the_target_is_marked_as_a_release(
    tiny: Tiny, marked: str
) -> None:
    tiny.compose_text(SPIED)
    project_file = tiny.path / "pyproject.toml"
    project_file.write_text(f"[tool.nomock]\npromote = {marked}\n")
    done = tiny.nomock("promote", "--render", "out")
    assert done.ret == 1
    assert done.errlines[-5:] == [
        "compose files: equipment of tests is not promoted to a release",
        "  proxy: Toxiproxy, by its image",
        "  traced: the tracer for services that know nothing of traces",
        "  web: the coverage spy",
        "-> promote the compose files without the overlays of tests and without the services that "
        "break the network",
    ]
    assert not (tiny.path / "out").exists()
    # Another context is another target.
    project_file.write_text('[tool.nomock]\npromote = {prod = "release"}\n')
    assert tiny.nomock("promote", "--render", "out").ret == 0
    project_file.write_text('[tool.nomock]\npromote = "relaese"\n')
    assert "promote cannot be 'relaese'" in tiny.nomock("promote", "--render", "out").stderr.str()
