"""What compose says of a project: the questions that a single process of it answers.

This module imports nothing heavy: the settings of each run may need it.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from nomock.adapters.compose_call import Call, end_session, how_ended, last_lines, started
from nomock.adapters.compose_cures import cure_of
from nomock.errors import ConfigError, EngineMissingError
from nomock.paths import standing

# Compose reads files and asks no engine for this: 0.1 s, or a few on a busy machine.
_ANSWER_TIMEOUT_S = 60.0
# Of the docker client, old and new, and of Podman's in its place.
_NO_COMPOSE = re.compile(
    r"compose' is not a docker command|unknown command: docker compose"
    r"|unknown (?:shorthand )?flag: (?:--file|'f' in -f|--project-name|'p' in -p)"
    r"|looking up compose provider failed"
)
# A line of its log, where it writes to no terminal: https://github.com/sirupsen/logrus
_WARNING = re.compile(r'level=warning msg="((?:[^"\\]|\\.)*)"')


def answer(
    call: Call,
    command: Sequence[str],
    *,
    where: str,
    text: str | None = None,
    timeout_s: float = _ANSWER_TIMEOUT_S,
) -> subprocess.CompletedProcess[str]:
    """Run a command of compose that only reads, to its end; ``text`` is its standard input.

    Raises ConfigError where it does not end with 0 or not in time, with compose's own last words.
    """
    away = "" if call.folder == standing() else f"cd {shlex.quote(str(call.folder))} && "
    todo = f"{away}docker compose config"
    process = started(
        command,
        call,
        is_told=text is not None,
        stderr=subprocess.PIPE,
        # The client starts compose in a process of its own, which is to end with it.
        start_new_session=True,
    )
    try:
        said, complained = process.communicate(text, timeout=timeout_s)
    except subprocess.TimeoutExpired as error:
        raise ConfigError(
            f"compose did not answer within {timeout_s:g} s",
            where=where,
            seen=last_lines(_as_text(error.stderr) or _as_text(error.stdout)),
            todo=todo,
        ) from error
    finally:
        if process.poll() is None:
            end_session(process, kill=True)
            process.wait()
    done = subprocess.CompletedProcess(command, process.returncode, said, complained)
    if done.returncode == 0:
        return done
    seen = last_lines(done.stderr or done.stdout)
    if plugin := _no_compose(seen):
        raise plugin
    if done.returncode < 0:  # what it read had nothing to do with that
        raise ConfigError(
            f"compose {how_ended(done.returncode)} while it read this",
            where=where,
            seen=seen,
            todo=f"{todo}; see whether the machine is short of memory",
        )
    raise ConfigError(
        "compose cannot read this",
        where=where,
        seen=seen or f"it {how_ended(done.returncode)}",
        todo=cure_of(done.stderr) or todo,
    )


def _no_compose(said: str) -> EngineMissingError | None:
    """Return the error where a docker client says that it has no compose; None for other words."""
    if _NO_COMPOSE.search(said) is None:
        return None
    return EngineMissingError(
        "this docker client has no compose",
        where=str(shutil.which("docker")),
        seen=said,
        todo="install its compose plugin: https://docs.docker.com/compose/install/; "
        "try it: docker compose version",
    )


def version(call: Call) -> str:
    """Return the version of compose, as ``2.26.1``; raises ConfigError and EngineMissingError."""
    asked = ["docker", "compose", "version", "--short"]
    return answer(call, asked, where="docker compose").stdout.strip().removeprefix("v")


def config(
    call: Call,
    command: Sequence[str],
    *,
    where: str,
    text: str | None = None,
    on_warning: Callable[[str], None] = lambda warning: None,
) -> Any:
    """Return what compose makes of its files, or of a text in their place, with `$$` as one `$`.

    ``command`` is the command line without ``config``; ``on_warning`` is called with each of
    compose's warnings, as that a variable is not set. Raises ConfigError, as ``answer`` does, and
    where what compose says is no JSON, or is nothing like a project.
    """
    done = answer(call, [*command, "config", "--format", "json"], where=where, text=text)
    try:
        # Compose doubles each dollar sign, so that its answer could be a compose file again.
        found = _json_in(done.stdout.replace("$$", "$"))
        what = "" if _is_project(found) else "compose's answer is no project"
    except ValueError:
        what = "compose's answer is no JSON"
    if what:
        raise ConfigError(
            what,
            where=where,
            seen=last_lines(done.stderr) or last_lines(done.stdout) or "(it said nothing)",
            todo="docker compose version; its answer: docker compose config --format json",
        )
    for warning in dict.fromkeys(_WARNING.findall(done.stderr)):
        on_warning(re.sub(r"\\(.)", r"\1", warning))
    return found


def variables(call: Call, names: Iterable[str]) -> dict[str, str]:
    """Return the values of variables as compose has them: by the environment, else by ``.env``.

    A variable that is not set is left out. Raises ConfigError, as ``answer`` does.
    """
    asked = {name: [f"${{{name}+set}}", f"${{{name}-}}"] for name in names}
    told = _interpolated(call, asked)
    return {name: value for name, (is_set, value) in told.items() if is_set}


def interpolated(call: Call, texts: Sequence[str]) -> list[str]:
    """Return texts as compose has them after interpolation; raises as ``variables`` does."""
    told: list[str] = _interpolated(call, texts)
    return told


def _interpolated(call: Call, texts: Any) -> Any:
    """Let compose interpolate texts, in a file that it is handed as its standard input."""
    text = json.dumps({"name": "nomock", "services": {}, "x-nomock": texts})
    command = ["docker", "compose", "--file", "-"]
    return config(call, command, where=str(call.folder), text=text).get("x-nomock") or type(texts)()


def _json_in(text: str) -> Any:
    """Read the object in what compose said, whatever a wrapper or a plugin said before or behind.

    Raises ValueError where there is none.
    """
    try:
        return json.loads(text)
    except ValueError:
        begin = re.search(r"^\{", text, re.MULTILINE)
        if begin is None:
            raise
        return json.JSONDecoder().raw_decode(text, begin.start())[0]


def _is_project(found: object) -> bool:
    if not isinstance(found, dict) or not isinstance(found.get("name"), str):
        return False
    services = found.get("services") or {}
    return isinstance(services, dict) and all(isinstance(s, dict) for s in services.values())


def _as_text(said: bytes | str | None) -> str:
    return said.decode(errors="replace") if isinstance(said, bytes) else said or ""
