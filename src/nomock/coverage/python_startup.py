"""What a service runs, word by word, and what in it would keep the spy out."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from nomock.adapters.engine import ImageConfig

_PYTHON = re.compile(r"(python|pypy)[0-9.]*")
_SHELL = re.compile(r"(ba|da|a|k|z)?sh")
# Of Python's own options, those that take the next word where nothing is attached to them.
_TAKES_A_WORD = ("-W", "-X", "--check-hash-based-pycs")
# -I: neither environment nor user packages; -E: no environment; -S: no site, so no sitecustomize.
_SHUTS_OUT = re.compile(r"-(?:(?![cmWX])[A-Za-z])*?([IES])")
_ENDS_OPTIONS = re.compile(r"-[A-VY-Za-z]*?[cm]")
_MISSED = {"I": "PYTHONPATH", "E": "PYTHONPATH", "S": "sitecustomize"}
_CLEANS = re.compile(r"-[A-Za-z]*i[A-Za-z]*|-|--ignore-environment")


def words_of(config: Mapping[str, Any], image: ImageConfig) -> list[str]:
    """Return the command line of a service: what the compose file says, else its image.

    ``config`` is its part of the resolved configuration. The text that a shell is given by ``-c``
    is taken apart into words too.
    """
    entrypoint, command = config.get("entrypoint"), config.get("command")
    if entrypoint is None:
        first: Iterable[str] = image.entrypoint
        rest: Iterable[str] = image.command if command is None else command
    else:  # compose, like docker, then forgets the image's command
        first, rest = entrypoint, command or ()
    return _taken_apart([*first, *rest])


def _taken_apart(words: Sequence[str]) -> list[str]:
    for at, word in enumerate(words[:-1]):
        if re.fullmatch(r"-[a-z]*c", word) and any(map(_is_shell, words[:at])):
            return [*words[: at + 1], *_shell_words(words[at + 1]), *words[at + 2 :]]
    return list(words)


def _is_shell(word: str) -> bool:
    return bool(_SHELL.fullmatch(PurePosixPath(word).name))


def _shell_words(text: str) -> list[str]:
    lexer = shlex.shlex(text, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    try:
        return list(lexer)
    except ValueError:  # a quote without its other half: the shell will say so
        return text.split()


def obstacle(before: Sequence[str], options: Sequence[str], where: str) -> str:
    """Return why a Python would not load the spy, empty where it would.

    ``before`` are the words in front of it, ``options`` those behind it, which stand in ``where``.
    """
    for word, option in _options_of_env(before):
        if _CLEANS.fullmatch(option):
            return f"{word} {option} in its command takes the environment away"
    rest = iter(options)
    for word in rest:
        if not word.startswith("-") or word in {"-", "--"}:
            break
        if word in _TAKES_A_WORD:
            next(rest, None)
        elif found := _SHUTS_OUT.match(word):
            return f"{word} in {where}: Python then reads no {_MISSED[found[1]]}"
        elif _ENDS_OPTIONS.match(word):
            break
    return ""


def obstacle_in(command: Sequence[str]) -> str:
    """Return what keeps the spy out of a container that runs a command, empty where nothing does.

    The Python may be behind a shell's text, or another program such as an init process.
    """
    words = _taken_apart(command)
    pythons = [at for at, word in enumerate(words) if _PYTHON.fullmatch(PurePosixPath(word).name)]
    found = (obstacle(words[:at], words[at + 1 :], "its command") for at in pythons)
    return next(filter(None, found), "") or obstacle(words, (), "")


def _options_of_env(words: Sequence[str]) -> Iterable[tuple[str, str]]:
    for at, word in enumerate(words):
        if PurePosixPath(word).name == "env":
            for option in words[at + 1 :]:
                if not option.startswith("-") and "=" not in option:
                    break
                yield word, option
