"""``nomock risk`` on projects never seen before: what is not known is said, the rest is told."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from repository import git
from schemas import checked
from tiny import Tiny, idle

from nomock.quality.left import MutatedFile, Mutation, leave

NO_RUN = "which tests run what is not known: there is no covered run to look into"
NO_MUTANTS = "what tests would notice is not known: no mutants were tried yet"


@pytest.fixture
def shop(tiny: Tiny) -> Tiny:
    """Two services in Python, one of which calls the other; nothing of it runs."""
    tiny.compose(
        web=idle(build="web", environment={"STORE": "http://store:80/"}),
        store=idle(volumes=["./store:/app"]),
        other=idle(build="other"),
    )
    for name in ("web", "other"):
        tiny.write(f"{name}/Dockerfile", "FROM scratch\n")
    tiny.write(
        "web/app.py", "import tools\ndef serve(x):\n    if x:\n        return tools.both(x)\n"
    )
    tiny.write("web/tools.py", "def both(x): return x and x\n")
    tiny.write("web/tests/test_app.py", "def test_it(): assert 1\n")
    tiny.write("store/main.py", "def keep(): pass\n")
    tiny.write("store/names.py", "NAME = 1\n")
    tiny.write("other/main.go", "package main\n")
    return tiny


def told(tiny: Tiny) -> tuple[dict[str, dict[str, object]], list[str]]:
    found = checked("risk", tiny.nomock("risk", "--json").stdout.str())
    return {one["path"]: one for one in found["modules"]}, [
        note.partition(";")[0] for note in found["notes"]
    ]


def test_what_is_known_should_be_told_when_there_is_no_git_and_no_run(shop: Tiny) -> None:
    modules, notes = told(shop)
    assert set(modules) == {"web/app.py", "web/tools.py", "store/main.py"}
    assert modules["web/tools.py"]["importers"] == 1
    assert modules["store/main.py"]["callers"] == 1
    assert {one["commits"] for one in modules.values()} == {None}
    assert notes == [
        "change is not known: this is no git repository with a commit",
        NO_RUN,
        NO_MUTANTS,
    ]


def test_history_should_be_told_as_far_as_it_goes_when_it_is_short_or_shallow(
    shop: Tiny, tmp_path: Path
) -> None:
    git(shop.path, "init", "--quiet")
    git(shop.path, "add", "--all")
    git(shop.path, "commit", "--quiet", "-m", "all")
    _, notes = told(shop)
    assert notes[0] == "change is not known: there is one commit, which made all of it"
    shop.write("web/tools.py", "def both(x): return x and x or x\n")
    git(shop.path, "commit", "--quiet", "-am", "more")
    modules, notes = told(shop)
    assert notes == [NO_RUN, NO_MUTANTS]
    assert [modules[p]["commits"] for p in ("web/app.py", "web/tools.py")] == [1, 2]
    assert modules["web/tools.py"]["lines"] == 3
    shallow = tmp_path / "shallow"
    git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{shop.path}", str(shallow))
    shutil.rmtree(shop.path / ".git")
    (shallow / ".git").rename(shop.path / ".git")
    _, notes = told(shop)
    assert notes[0] == "change is known in part: this clone is shallow"


@pytest.mark.slow
def test_mutants_should_be_beside_the_risk_when_they_were_tried(shop: Tiny) -> None:
    files = (MutatedFile("web/tools.py", 3, 1, 0, 0),)
    when = "2026-11-30T18:00:00+00:00"
    path = leave(shop.path / ".nomock", Mutation(when, 0.75, 3, 0, 1, 0, 0, 0, 0, files))
    modules, notes = told(shop)
    assert modules["web/tools.py"]["depth"] == {
        "mutation_score": 0.75,
        "share": 0.75,
        "ran": None,
        "tests": None,
        "under_faults": None,
        "not_run": [],
    }
    assert NO_MUTANTS not in notes
    path.write_text("{")
    _, notes = told(shop)
    assert notes[-1].startswith("mutants are not known: what was measured cannot be read")


def test_a_source_should_be_left_out_and_named_when_it_is_no_python(shop: Tiny) -> None:
    shop.write("web/app.py", "def serve(:\n")
    modules, notes = told(shop)
    assert set(modules) == {"web/tools.py", "store/main.py"}
    assert any(note.startswith("web/app.py is left out") for note in notes)


def test_risk_should_be_refused_when_no_service_is_in_python(tiny: Tiny) -> None:
    tiny.compose(other=idle(build="other"))
    tiny.write("other/Dockerfile", "FROM scratch\n")
    tiny.write("other/main.go", "package main\n")
    refused = tiny.nomock("risk")
    assert refused.ret == 1
    assert "no service of this stack has a Python source here" in refused.stderr.str()
