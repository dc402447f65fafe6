"""What a build is made of, and when a resolved configuration may be used again."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from tiny import Tiny, idle

from nomock.project import build_context, resolve
from nomock.project.ignore import Ignore
from nomock.project.inputs import fetches


@pytest.mark.parametrize(
    ("pattern", "path", "ignored"),
    [
        ("*.md", "README.md", True),
        ("*.md", "docs/README.md", False),
        ("**/*.md", "docs/a/README.md", True),
        ("**/*.md", "README.md", True),
        ("docs", "docs/a/b.txt", True),
        ("/docs/", "docs/a.txt", True),
        ("docs/**", "docs/a/b.txt", True),
        ("docs/**", "docs2/a.txt", False),
        ("a?c", "abc", True),
        ("a?c", "a/c", False),
        ("[a-c].txt", "b.txt", True),
        ("[a-c].txt", "d.txt", False),
        ("a+b", "a+b", True),
        ("a+b", "aab", False),
        ("# docs", "docs", False),
        ("./docs", "docs/a.txt", True),
        ("[^a].txt", "b.txt", True),
        ("[^a].txt", "a.txt", False),
        ("a\\*b", "a*b", True),
        ("a\\*b", "axb", False),
    ],
)
def test_a_path_should_be_ignored_when_a_pattern_of_docker_matches_it(
    pattern: str, path: str, ignored: bool
) -> None:
    assert Ignore([pattern]).ignores(path) is ignored


def test_the_last_rule_that_matches_should_win_when_several_do() -> None:
    ignore = Ignore(["*", "!src", "src/*.tmp"])
    assert [ignore.ignores(p) for p in ("a", "src/a.py", "src/a.tmp")] == [True, False, True]


def test_the_digest_should_change_only_when_what_the_builder_is_sent_does(
    tmp_path: Path,
) -> None:
    context, extra = tmp_path / "app", tmp_path / "shared"
    for folder in (context, extra):
        folder.mkdir()
        (folder / "code.py").write_text("1")
    (context / "Dockerfile").write_text("FROM x")
    (context / ".dockerignore").write_text("*.md\nnotes")
    (context / "notes").mkdir()
    build = {"context": str(context), "additional_contexts": {"shared": str(extra)}}

    digests = [build_context.Build(build).look().digest]

    def changes() -> bool:
        digests.append(build_context.Build(build).look().digest)
        return digests[-1] != digests[-2]

    os.utime(context / "code.py", (1, 1))
    assert not changes()
    (context / "README.md").write_text("ignored")
    (context / "notes" / "a.py").write_text("ignored")
    assert not changes()
    (context / "code.py").write_text("2")
    assert changes()
    (context / "code.py").chmod(0o755)
    assert changes()
    (extra / "code.py").write_text("2")
    assert changes()
    (context / "Dockerfile").write_text("FROM y")
    assert changes()
    (context / "code.py").rename(context / "moved.py")
    assert changes()
    build["target"] = "test"
    assert changes()


def test_the_files_should_be_resolved_again_only_when_something_they_depend_on_changed(
    tiny: Tiny, monkeypatch: pytest.MonkeyPatch, docker_calls: Path
) -> None:
    tiny.write("web.env", "COLOR=red\n")
    one = idle(environment={"SIZE": "${SIZE:-1}", "PASSED": None}, env_file=["web.env"])
    tiny.compose(one=one)

    def environment() -> dict[str, str | None]:
        docker_calls.write_text("")
        return dict(tiny.stack().project.services["one"].environment)

    def asked() -> bool:
        return docker_calls.read_text() != ""

    first = {"COLOR": "red", "PASSED": None, "SIZE": "1"}
    assert (environment(), asked()) == (first, True)
    assert (environment(), asked()) == (first, False)
    monkeypatch.setenv("UNRELATED", "1")
    assert (environment(), asked()) == (first, False)
    monkeypatch.setenv("SIZE", "2")
    assert (environment()["SIZE"], asked()) == ("2", True)
    monkeypatch.setenv("PASSED", "on")
    assert (environment()["PASSED"], asked()) == ("on", True)
    tiny.write("web.env", "COLOR=blue\n")
    assert (environment()["COLOR"], asked()) == ("blue", True)
    tiny.write(".env", f"COMPOSE_PROJECT_NAME={tiny.name}\nSIZE=3\n")
    monkeypatch.delenv("SIZE")
    assert (environment()["SIZE"], asked()) == ("3", True)


def test_a_service_should_be_there_only_when_its_profile_is_enabled(
    tiny: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny.compose(always=idle(), extra=idle(profiles=["more"]))
    assert list(tiny.stack()) == ["always"]
    monkeypatch.setenv("COMPOSE_PROFILES", "more")
    assert list(tiny.stack()) == ["always", "extra"]


def test_a_configuration_should_be_resolved_anew_when_its_store_is_broken(tiny: Tiny) -> None:
    tiny.compose(one=idle())
    settings = tiny.stack().settings
    (kept,) = settings.state_dir.glob("resolved-*.json")
    for broken in ("", "[1]", "{", json.dumps({"digest": "x"})):
        kept.write_text(broken)
        assert list(resolve(settings).services) == ["one"]


def test_a_long_line_should_be_no_files_name_when_compose_can_read_it(tiny: Tiny) -> None:
    # Longer than a name may be, shorter than nomock looks at: 255 to 300 characters.
    labels = ", ".join(f"label-{number}: value-{number}" for number in range(15))
    assert 255 < len(labels) < 290
    tiny.compose_text(f"services:\n  one:\n    image: none\n    labels: {{{labels}}}\n")
    assert list(tiny.stack()) == ["one"]


def test_a_mount_should_be_no_file_when_nobody_can_look_at_its_source(tiny: Tiny) -> None:
    # As in a folder that this user may not look into; to root none is closed.
    tiny.compose(one=idle(volumes=[f"./{'x' * 300}:/x:ro"]))
    assert tiny.stack().project.service("one").mounted_files == ()


@pytest.mark.parametrize(
    ("text", "is_fetched"),
    [
        ("include:\n  - https://example.org/a.git\n", True),
        ("include: [git@example.org:a.git]\n", True),
        ("services: {}\ninclude:\n# ours\n- path:\n  - ./a.yml\n\n  - oci://example.org/a\n", True),
        (
            "services:\n  a:\n    extends:\n      service: b\n      file: git://example.org/a\n",
            True,
        ),
        ("services: {a: {extends: {file: 'https://example.org/a.git', service: b}}}\n", True),
        ("include: [a.yml]  # https://example.org\nservices: {a: {image: b}}\n", False),
        ("include:\n  - a.yml\nx-url: https://example.org\n", False),
        ("services:\n  a:\n    extends: b\n    environment: {URL: http://b}\n", False),
        ("services:\n  a:\n    env_file: a.env\n    labels: {url: 'http://b'}\n", False),
    ],
)
def test_a_compose_file_should_count_as_fetching_only_when_it_names_a_file_by_an_address(
    tmp_path: Path, text: str, is_fetched: bool
) -> None:
    file = tmp_path / "compose.yaml"
    file.write_text(text, encoding="utf-8")
    assert fetches([file]) is is_fetched
