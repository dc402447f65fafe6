"""Secrets, taken out of all that evidence keeps before anything of it is written.

Two rules work together. Where a secret has a place of its own (a header, a field of a form or of
JSON, a URL) its value goes, whatever it looks like; and a value that went once goes wherever else
it stands, so that a service which logs a token that it was sent does not give it away. In plain
text what looks like a secret goes: ``Bearer …``, ``password=…``, a JWT, a private key.
"""

from __future__ import annotations

import binascii
import json
import re
from base64 import b64decode
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote, unquote_plus, urlsplit

from nomock.evidence import secret_looks as looks

GONE = "[redacted]"

# A shorter value would take half of a text with it.
_LEAST_LEARNED = 8
# The password of a test's database is often a word that stands elsewhere: postgres.
_LEAST_WORD = 12


def holds_secret(name: str, value: str) -> bool:
    """Tell whether a variable's value is a secret, or has one in it.

    >>> holds_secret("API_KEY", "x"), holds_secret("DB", "db://me:own@host"), holds_secret("N", "1")
    (True, True, False)
    """
    return bool(value) and (looks.is_secret(name, value) or Redactor().text(value) != value)


class Redactor:
    """Takes secrets out of texts, and remembers which these were."""

    def __init__(self, patterns: Iterable[str] = ()) -> None:
        """``patterns`` are regular expressions of the user's."""
        self._patterns = [re.compile(pattern) for pattern in patterns]
        self._learned: set[str] = set()

    def learn_environment(self, variables: Mapping[str, str | None]) -> None:
        """Remember the secrets that a service has in its environment."""
        for name, value in variables.items():
            if value and looks.is_secret(name, value):
                self._learn(value)
            elif value:
                self.text(value)  # a URL with a password

    def headers(self, headers: Iterable[Sequence[str]]) -> list[list[str]]:
        """Return the headers as pairs, the values of secret ones gone."""
        return [[name, self._header(name, value)] for name, value in headers]

    def url(self, url: str) -> str:
        """Return a URL without a password and without the values of secret parameters."""
        address, mark, query = url.partition("?")
        query, hash_, fragment = query.partition("#")
        address, more, fragment_of_address = address.partition("#")
        try:
            password = urlsplit(address).password
        except ValueError:
            password = None
        if password:
            self._learn(password)
        told = self.text(address) + mark + self._form(query)
        return told + hash_ + more + self._form(fragment or fragment_of_address)

    def body(self, text: str, content_type: str) -> str:
        """Return the text of a body, by what it is: JSON, a form, or any text."""
        kind = content_type.partition(";")[0].strip().lower()
        if kind.endswith("x-www-form-urlencoded"):
            return self._form(text)
        if text[:1] in "{[" or kind.endswith("json"):
            try:
                return self.text(json.dumps(self.values(json.loads(text)), ensure_ascii=False))
            except (ValueError, RecursionError):  # its end was cut off, or it is several
                pass
        return self.text(looks.PART_OF_FORM.sub(self._part, text))

    def values(self, value: Any, *, secret: bool = False) -> Any:
        """Return JSON's values, those of secret fields gone."""
        if isinstance(value, dict):
            return {
                name: self.values(part, secret=secret or looks.is_secret(str(name), part))
                for name, part in value.items()
            }
        if isinstance(value, list):
            return [self.values(part, secret=secret) for part in value]
        if not secret or value is None or isinstance(value, bool):
            return value
        self._learn(str(value))
        return GONE

    def code(self, text: str) -> str:
        """Return a traceback or source: there a name beside a secret's name is no secret."""
        return self.text(text, is_code=True)

    def text(self, text: str, *, is_code: bool = False) -> str:
        """Return any text, what looks like a secret gone; it has as many lines as before."""
        low = text.lower()
        if any(begin in low for begin in looks.SHAPES_BEGIN):
            text = looks.SHAPES.sub(lambda m: GONE + "\n" * m[0].count("\n"), text)
        if any(word in low for word in looks.WORDS):
            text = "\n".join(self._line(line, is_code) for line in text.split("\n"))
        for pattern in self._patterns:
            text = pattern.sub(lambda m: GONE + "\n" * m[0].count("\n"), text)
        return text

    def sql(self, text: str) -> str:
        """Return a statement; of one that names a secret all values are gone, whosever they are.

        ``INSERT INTO users (name, password) VALUES ('…', '…')`` has no value beside its name.
        """
        if re.search(f"(?i){looks.SECRET}", text):
            text = looks.LITERAL.sub(lambda m: m[1] or f"'{GONE}'", text)
        return self.text(text)

    def _line(self, line: str, is_code: bool) -> str:
        # Each expression takes a hundred times as long as a look whether its words are there.
        low = line.lower()
        if any(word in low for word in looks.SCHEMES):
            line = looks.BEARER.sub(lambda m: f"{m[1]}{m[2]}{GONE}", line)
        if "://" in low and "@" in low:
            line = looks.USER_IN_URL.sub(self._user, line)
        if "cookie" in low or "authorization" in low:
            line = looks.LINE_OF_HEADER.sub(lambda m: self._header_line(m, is_code), line)
        if any(word in low for word in looks.NAMES):
            line = looks.NAMED.sub(lambda m: self._named(m, is_code), line)
        return line

    def known(self, text: str) -> str:
        """Return a text without the values that stood in a secret's place anywhere."""
        if not self._learned:
            return text
        found = sorted(self._learned, key=len, reverse=True)
        return re.sub("|".join(map(re.escape, found)), GONE, text)

    def _header(self, name: str, value: str) -> str:
        if looks.HEADERS.match(name):
            for part in re.split(r"[;,\s]+", value):
                self._learn(part.partition("=")[2].strip('"') if "cookie" in name.lower() else part)
            if value.lower().startswith("basic "):
                self._learn_basic(value[6:])
            scheme, space, rest = value.partition(" ")
            shown = space and rest and "cookie" not in name.lower() and scheme.isalpha()
            return f"{scheme} {GONE}" if shown else GONE
        if looks.is_secret(name, value):
            self._learn(value)
            return GONE
        if name.lower() in {"location", "referer", "content-location"}:
            return self.url(value)
        return self.text(value)

    def _form(self, query: str) -> str:
        """Return a form, or the query of a URL."""
        parts = []
        for part in query.split("&"):
            name, equals, value = part.partition("=")
            plain = unquote_plus(value)
            if equals and value and looks.is_secret(unquote_plus(name), plain):
                self._learn(plain)
                part = f"{name}={GONE}"
            else:
                part = self.text(part)
            parts.append(part)
        return "&".join(parts)

    def _part(self, match: re.Match[str]) -> str:
        if not looks.is_secret(match[1], match[3]):
            return match[0]
        self._learn(match[3])
        return f'name="{match[1]}"{match[2]}{GONE}'

    def _user(self, match: re.Match[str]) -> str:
        self._learn(match[2])
        return f"{match[1]}:{GONE}@"

    @staticmethod
    def _header_line(match: re.Match[str], is_code: bool) -> str:
        is_quoted = match[2][-1:] in "\"'"
        if is_code and not is_quoted and looks.PART_OF_CODE.match(match[3]):
            return match[0]
        return f"{match[1]}{match[2]}{GONE}"

    def _named(self, match: re.Match[str], is_code: bool) -> str:
        name, between, value = match.groups()
        if is_code and looks.PART_OF_CODE.fullmatch(value):
            return match[0]
        plain = value.strip("\\").strip("\"'").rstrip("\\")
        if GONE in value or plain in {"", "None", "null", "true", "false", "True", "False"}:
            return match[0]
        if match.string[match.end() : match.end() + 1] in {"(", "["}:
            return match[0]  # what is called, or looked up in
        begin = looks.BEGIN_OF_NAME.search(match.string[max(0, match.start() - 60) : match.start()])
        if not looks.is_secret((begin[0] if begin else "") + name, plain):
            return match[0]
        self._learn(plain)
        quoted = re.match(r"\\*[\"']?", value)
        mark = quoted[0] if quoted else ""
        return f"{name}{between}{mark}{GONE}{mark}"

    def _learn_basic(self, encoded: str) -> None:
        try:
            self._learn(b64decode(encoded).decode().partition(":")[2])
        except (binascii.Error, ValueError):
            return

    def _learn(self, value: str) -> None:
        """Remember a value, and the forms in which others write it."""
        is_word = len(value) < _LEAST_WORD and value.isalpha() and value.islower()
        if len(value) >= _LEAST_LEARNED and not is_word and GONE not in value:
            escaped = json.dumps(value)[1:-1]
            self._learned |= {value, quote(value, safe=""), escaped}
