"""What a service's command line is, and what in it keeps the spy out of its Python."""

from __future__ import annotations

from typing import Any

import pytest

from nomock.adapters.engine import ImageConfig
from nomock.coverage.python_startup import obstacle, obstacle_in, words_of


def image(entrypoint: tuple[str, ...] = (), command: tuple[str, ...] = ()) -> ImageConfig:
    return ImageConfig(id="", entrypoint=entrypoint, command=command, environment={})


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({}, ["/entry.sh", "serve"]),
        ({"entrypoint": None, "command": None}, ["/entry.sh", "serve"]),
        ({"command": ["work", "--fast"]}, ["/entry.sh", "work", "--fast"]),
        ({"command": []}, ["/entry.sh"]),
        ({"entrypoint": ["tini", "--"]}, ["tini", "--"]),
        ({"entrypoint": [], "command": ["python3", "a.py"]}, ["python3", "a.py"]),
        ({"command": ["echo", "$HOME"]}, ["/entry.sh", "echo", "$HOME"]),
    ],
)
def test_the_command_should_be_that_of_the_compose_file_when_the_image_has_another(
    config: dict[str, Any], expected: list[str]
) -> None:
    assert words_of(config, image(("/entry.sh",), ("serve",))) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("exec python3 -I app.py", ["exec", "python3", "-I", "app.py"]),
        ("migrate&&python3 'my app.py'", ["migrate", "&&", "python3", "my app.py"]),
        ("echo 'half; python3 app.py", ["echo", "'half;", "python3", "app.py"]),
    ],
)
def test_the_words_of_a_text_should_be_seen_only_when_a_shell_runs_it(
    text: str, expected: list[str]
) -> None:
    for shell in (["sh", "-c"], ["/bin/bash", "-o", "pipefail", "-euc"]):
        assert words_of({"command": [*shell, text]}, image()) == [*shell, *expected]
    # No shell: the word is what it is.
    words = ["python3", "-c", "import a; a.run()"]
    assert words_of({"command": words}, image()) == words


@pytest.mark.parametrize(
    ("options", "seen"),
    [
        ("-I app.py", "-I in its command: Python then reads no PYTHONPATH"),
        ("-u -E -m app", "-E in its command: Python then reads no PYTHONPATH"),
        ("-W error -X dev -uS app.py", "-uS in its command: Python then reads no sitecustomize"),
        ("-Werror -Xdev -Pc pass -I", ""),
        ("-u app.py -I -E -S", ""),
        ("-m app -E", ""),
        ("-mIES", ""),
        ("-X importtime -c pass", ""),
        ("--check-hash-based-pycs always -I app.py", "-I in its command: Python then reads no "
         "PYTHONPATH"),
        ("", ""),
    ],
)  # fmt: skip
def test_options_should_be_named_when_python_starts_without_the_spy(
    options: str, seen: str
) -> None:
    assert obstacle([], options.split(), "its command") == seen


@pytest.mark.parametrize(
    ("before", "seen"),
    [
        ("env -i A=1", "env -i in its command takes the environment away"),
        ("tini -- /usr/bin/env -", "/usr/bin/env - in its command takes the environment away"),
        ("env A=1 --ignore-environment", "env --ignore-environment in its command takes the "
         "environment away"),
        ("env A=1 -u B", ""),
        ("env A=1 tool -i", ""),
        ("tool -i", ""),
    ],
)  # fmt: skip
def test_env_should_be_named_when_it_takes_the_environment_away(before: str, seen: str) -> None:
    assert obstacle(before.split(), ["-u", "app.py"], "its command") == seen


@pytest.mark.parametrize(
    ("command", "seen"),
    [
        (["python3", "-I", "app.py"], "-I in its command"),
        (["/usr/bin/python3.13", "-uE", "-m", "app"], "-uE in its command"),
        (["tini", "--", "python", "-S", "app.py"], "-S in its command"),
        (["sh", "-c", "cd /app && exec python3 -Im app"], "-Im in its command"),
        (["sh", "-c", "python3 wait.py && exec python3 -I app.py"], "-I in its command"),
        (["env", "-i", "PATH=/bin", "python3", "app.py"], "env -i in its command"),
        (["env", "-i", "PATH=/bin", "uvicorn", "app:app"], "env -i in its command"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_command_should_be_named_when_a_python_in_it_loads_no_spy(
    command: list[str], seen: str
) -> None:
    assert obstacle_in(command).startswith(seen)


@pytest.mark.parametrize(
    "command",
    [
        [],
        ["python3", "app.py", "-I"],
        ["python3", "-c", "print('-E')"],
        ["python3", "-WError", "-XimporttimeS", "-mEnv", "app.py"],
        ["env", "A=1", "python3", "app.py"],
        ["ls", "-ISE"],
    ],
    ids=" ".join,
)
def test_nothing_should_be_said_when_a_command_loads_the_spy(command: list[str]) -> None:
    assert obstacle_in(command) == ""
