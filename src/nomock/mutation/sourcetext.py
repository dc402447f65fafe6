"""The text of a Python file: how its bytes are read, and where its lines begin."""

from __future__ import annotations

import codecs
import io
import re
import tokenize

from nomock.errors import MutationError

LINE_END = re.compile(r"\r\n|\r|\n")


def decoded(data: bytes, path: str = "a source") -> str:
    """Return a file's text as Python reads it, with its line ends as they are.

    The encoding is that of its cookie or byte order mark, otherwise UTF-8; the mark is left out.
    Raises MutationError where the bytes are not of that encoding; ``path`` is named by it.
    """
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        return data.decode(encoding)
    except (SyntaxError, UnicodeDecodeError) as error:
        raise MutationError(
            "cannot be read as Python",
            where=path,
            seen=str(error),
            todo="save it as UTF-8, or name its encoding in its first line",
        ) from error


def encoded(text: str, data: bytes) -> bytes:
    """Return a text as bytes in the encoding of the file that it comes from, given as bytes."""
    encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
    mark = codecs.BOM_UTF8 if encoding == "utf-8-sig" else b""
    return mark + text.encode("utf-8" if mark else encoding)


def line_starts(text: str) -> list[int]:
    """Return where each line begins: only ``\\n``, ``\\r\\n`` and ``\\r`` end one, as in Python."""
    return [0, *(match.end() for match in LINE_END.finditer(text))]
