"""Reads in what is no Python: shell scripts, and sources of languages that name their variables.

None of these is required, but ``${NAME:?}`` of a shell: whether a source of another language can
do without a variable is not known.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from nomock.contracts.reads import Read

_NAME = r"([A-Za-z_]\w*)"
_SHELL = re.compile(rf"\$\{{{_NAME}(:?[-+=?])?|\$([A-Z_][A-Z0-9_]*)\b")
_SET_BY_SHELL = re.compile(
    rf"(?:^|[\s;&(])(?:export\s+|local\s+|readonly\s+|declare\s+\S*\s*)?{_NAME}\+?="
    rf"|\bfor\s+{_NAME}\s+in\b|\bread\s+(?:-\w+\s+)*{_NAME}",
    re.M,
)
_BY_SUFFIX = {
    (".js", ".ts", ".mjs", ".cjs", ".jsx", ".tsx", ".vue"): (
        rf"process\.env\.{_NAME}|process\.env\[[\"']{_NAME}[\"']\]|import\.meta\.env\.{_NAME}"
    ),
    (".go",): rf"os\.(?:Getenv|LookupEnv)\(\"{_NAME}\"\)|env:\"{_NAME}",
    (".rb", ".ru", ".erb", ".yml", ".yaml"): rf"ENV(?:\.fetch\(|\[)\s*[\"']{_NAME}[\"']",
    (
        ".php",
    ): rf"getenv\([\"']{_NAME}[\"']|\$_(?:ENV|SERVER)\[[\"']{_NAME}[\"']|\benv\([\"']{_NAME}",
    (".java", ".kt", ".scala"): rf"System\.getenv\(\"{_NAME}\"\)|\$\{{{_NAME}[:}}]",
    (".properties",): rf"\$\{{{_NAME}[:}}]",
    (".rs",): rf"env::var(?:_os)?\(\"{_NAME}\"|\benv!\(\"{_NAME}\"",
    (".cs",): rf"GetEnvironmentVariable\(\"{_NAME}\"\)",
}


def script_reads(path: str, text: str) -> Iterator[Read]:
    """Yield what a shell script reads of what it did not set itself."""
    own = set_by_script(text)
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("#"):
            continue
        for named, mark, plain in _SHELL.findall(line):
            name = named or plain
            if name not in own or f"${{{name}:" in line:
                yield Read(name, path, number, is_required="?" in mark, is_at_start="?" in mark)


def source_reads(path: str, text: str) -> Iterator[Read]:
    """Yield what a source of another language reads, where it names the variable."""
    for suffixes, pattern in _BY_SUFFIX.items():
        if path.endswith(suffixes):
            for number, line in enumerate(text.splitlines(), 1):
                for found in re.finditer(pattern, line):
                    name = next(filter(None, found.groups()))
                    yield Read(name, path, number, is_required=False)


def set_by_script(text: str) -> set[str]:
    """Return the variables that a shell script sets."""
    return {name for found in _SET_BY_SHELL.findall(text) for name in found if name}
