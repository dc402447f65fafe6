"""Journals that cannot be healed: they end no run, and are set aside by a command that says so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from refusing import Refusals, refusing
from test_janitor import left
from tiny import Tiny, idle

from nomock.errors import ForeignStackError, NotHealedError
from nomock.faults.janitor import heal_orphaned
from nomock.faults.journal import Journal
from nomock.faults.left import orphaned_journals
from nomock.faults.service.pause import Pause

ENTRY = {
    "on": 1,
    "kind": "pause",
    "name": "pause web",
    "arguments": {"service": "web"},
    "state": {"before": {}},
    "test": "test_left",
}
UNKNOWN = {**ENTRY, "on": 2, "kind": "of a later version", "name": "what it did"}
ARGUMENTS = {**ENTRY, "name": "with others", "arguments": {"service": "web", "sort_of": 1}}


def folder(tiny: Tiny) -> Path:
    return tiny.path / ".nomock/faults" / tiny.name


def write(tiny: Tiny, name: str, content: bytes) -> Path:
    path = folder(tiny) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def lines(*entries: object) -> bytes:
    return "".join(json.dumps(entry) + "\n" for entry in entries).encode()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", []),
        (b'{"on": 2, "ki', []),
        (b"{", []),
        (json.dumps(ENTRY).encode(), ["pause web"]),
        (lines(ENTRY) + b'{"off": 1}', []),
        (b"garbage", ["line 1 of 1.ndjson"]),
        (b"\xff\x00\xfe garbage \n" + lines(ENTRY), ["pause web", "line 1 of 1.ndjson"]),
        (lines([1], 2, None, "text"), [f"line {n} of 1.ndjson" for n in (4, 3, 2, 1)]),
        (lines({"on": 1, "kind": "pause"}), ["line 1 of 1.ndjson"]),
        (lines({**ENTRY, "state": None}), ["line 1 of 1.ndjson"]),
        (lines({**ENTRY, "of a later version": 1}), ["pause web"]),
        (b"[" * 100_000 + b"\n", ["line 1 of 1.ndjson"]),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_a_journal_should_tell_what_it_can_when_lines_are_broken(
    tmp_path: Path, content: bytes, told: list[str]
) -> None:
    path = tmp_path / "faults/stack/1.ndjson"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    with orphaned_journals(tmp_path, "stack") as journals:
        [(_, entries)] = list(journals)
    assert [entry.name for entry in entries] == told


@pytest.mark.slow
def test_a_run_without_faults_should_go_on_and_one_with_them_not_when_a_journal_cannot_be_healed(
    tiny: Tiny,
) -> None:
    tiny.compose(web=idle())
    tiny.tests("""
        def test_without(stack): pass
        def test_with(stack, faults): pass
    """)
    write(tiny, "1.ndjson", lines(UNKNOWN, ARGUMENTS))
    write(tiny, "2.ndjson", b"\xff garbage\n")
    (folder(tiny) / "3.ndjson").mkdir()
    (folder(tiny) / "4.ndjson").symlink_to("4.ndjson")
    gone = write(tiny, "5.ndjson", lines(ENTRY))
    for options in ((), ("-n1", "-p", "xdist")):
        run = tiny.run(*options)
        run.assert_outcomes(passed=1, errors=1)
        assert run.ret == pytest.ExitCode.TESTS_FAILED
        said = str(run.stdout)
        assert said.count("this version of nomock knows no such fault") >= 3, said
        assert "faults that are not healed" in said
        assert "nomock heal --set-aside" in said
    assert not gone.exists()

    up = tiny.nomock("up")
    assert (up.ret, "not healed" in str(up.stderr)) == (0, True)
    healed = tiny.nomock("heal")
    assert healed.ret == 1
    for part in ("not healed: ", "line 1 of 2.ndjson", "3.ndjson", "4.ndjson", "with others"):
        assert part in str(healed.stderr)

    aside = tiny.nomock("heal", "--set-aside")
    assert aside.ret == 0
    kept = tiny.path / ".nomock/set-aside" / tiny.name
    assert sorted(p.name for p in kept.iterdir()) == [f"{n}.ndjson" for n in (1, 2, 3, 4)]
    aside.stdout.fnmatch_lines(
        [
            "given up: with others, left by test_left",
            "  fault with others: this version of nomock knows no such fault",
            "  -> whatever it did may be broken still: nomock down, then nomock up: *",
            "given up: what it did, left by test_left",
            "given up: line 1 of 2.ndjson",
            f"  {folder(tiny)}/2.ndjson cannot be read: JSONDecodeError: *",
            f"its journal is kept: {kept}/1.ndjson",
        ]
    )
    assert list(folder(tiny).iterdir()) == []
    assert tiny.nomock("heal", "--set-aside").ret == 0
    tiny.run().assert_outcomes(passed=2)


def test_a_journal_should_be_set_aside_when_its_engine_is_gone_and_its_process_not_when_it_lives(
    tiny: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny.compose(web=idle())
    path = left(tiny, ENTRY)
    journal = Journal(tiny.path / ".nomock", tiny.name)
    number = journal.on(Pause("web"), {"before": {}}, "test_that_runs")
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere.sock")
    aside = tiny.nomock("heal", "--set-aside")
    assert aside.ret == 0
    aside.stdout.fnmatch_lines(
        [
            "given up: pause web, left by test_left",
            "  engine at unix:///nowhere.sock: no container engine answers",
            "  -> web may be down or paused still: docker compose unpause web, then nomock up",
        ]
    )
    assert not path.exists()
    assert len(list(folder(tiny).iterdir())) == 1
    journal.off(number)
    assert list(folder(tiny).iterdir()) == []


def test_faults_should_not_be_healed_when_a_copy_of_the_checkout_or_a_renamed_one_left_them(
    tiny: Tiny, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny.compose(web=idle())
    stack = tiny.stack()
    stack.prepare()
    stack.engine.pause(tiny.containers()["web"])
    copy = Tiny(tiny.pytester, tiny.name, tmp_path_factory.mktemp("copy"))
    copy.compose(web=idle())
    path = left(copy, ENTRY)
    with pytest.raises(ForeignStackError):
        heal_orphaned(copy.stack(), print)
    assert path.exists()
    assert tiny.states() == {"web": "paused"}
    path = left(tiny, {**ENTRY, "engine": "of another machine"})
    with pytest.raises(NotHealedError, match="put on at engine of another machine, and this is"):
        heal_orphaned(stack, print)
    path.unlink()
    stack.engine.unpause(tiny.containers()["web"])
    stack.close()

    left(tiny, ENTRY)
    (tiny.path / ".env").write_text(f"COMPOSE_PROJECT_NAME={tiny.name}-renamed\n")
    healed = tiny.nomock("heal")
    healed.stdout.fnmatch_lines(
        [
            f"faults of stack {tiny.name} are not looked at: nomock --project {tiny.name} heal",
            "healed 0 faults",
        ]
    )
    assert tiny.nomock("--project", tiny.name, "heal").ret == 0
    assert list(folder(tiny).iterdir()) == []


@pytest.mark.slow
def test_the_next_test_should_heal_what_one_could_not_when_that_is_possible_then(
    tiny: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny.compose(web=idle())
    tiny.tests("""
        import pytest

        def test_breaks(stack, faults):
            with faults.pause("web"):
                pass

        def test_refused(stack, faults):
            raise AssertionError("what is on already would be met, too")

        def test_without(stack):
            pass

        def test_after(stack, faults):
            with faults.pause("web"):
                pass
    """)
    tiny.nomock("up")
    refusals = Refusals("/unpause", 500, "the freezer is broken", times=2)
    with refusing(refusals) as address, monkeypatch.context() as wired:
        wired.setenv("DOCKER_HOST", address)
        run = tiny.run()
    run.assert_outcomes(passed=3, errors=2)
    run.stdout.fnmatch_lines(
        [
            "*faults of this test: not healed: pause web*",
            "*faults of tests before this one: not healed: pause web*",
        ]
    )
    assert tiny.states() == {"web": "running"}
    assert list(folder(tiny).iterdir()) == []


def test_a_fault_should_not_begin_when_it_cannot_be_written_down(tiny: Tiny) -> None:
    tiny.compose(web=idle())
    tiny.tests("""
        def test_breaks(stack, faults):
            with faults.pause("web"):
                pass
    """)
    folder(tiny).parent.mkdir(parents=True)
    folder(tiny).write_text("no folder")
    run = tiny.run()
    run.assert_outcomes(failed=1)
    run.stdout.fnmatch_lines(["*it was not put on, since it could not be written down how*"])
    assert tiny.states() == {"web": "running"}
