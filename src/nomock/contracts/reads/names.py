"""The name of a variable as the source has it: written out, or made of pieces."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Parameter:
    """A piece that the caller of a function gives."""

    name: str


Piece = str | Parameter | None
"""``None`` is a piece of which nothing is known."""


@dataclass(frozen=True)
class Name:
    """A name in pieces: ``f"{prefix}_URL"`` is a parameter, and a piece that is written out."""

    pieces: tuple[Piece, ...]

    @property
    def literal(self) -> str | None:
        """The name, where all of it is written out."""
        known = [piece for piece in self.pieces if isinstance(piece, str)]
        return "".join(known) if len(known) == len(self.pieces) else None

    @property
    def parameters(self) -> set[str]:
        """The parameters that are in it."""
        return {piece.name for piece in self.pieces if isinstance(piece, Parameter)}

    @property
    def pattern(self) -> str | None:
        """A regular expression of what it may be; None where that is anything."""
        if not any(isinstance(piece, str) and len(piece) > 1 for piece in self.pieces):
            return None
        return "".join(re.escape(p) if isinstance(p, str) else ".*" for p in self.pieces)

    def given(self, arguments: Mapping[str, Name]) -> Name:
        """Return the name with arguments in place of parameters; one that is not given is unknown.

        >>> Name((Parameter("p"), "_URL")).given({"p": Name(("DB",))}).literal
        'DB_URL'
        """
        pieces: list[Piece] = []
        for piece in self.pieces:
            known = arguments.get(piece.name, UNKNOWN) if isinstance(piece, Parameter) else None
            pieces += known.pieces if known else [piece]
        return Name(tuple(pieces))


UNKNOWN = Name((None,))
