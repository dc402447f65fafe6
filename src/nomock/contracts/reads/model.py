"""What one look at a Python file finds of its reads, before files are brought together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from nomock.contracts.reads.kinds import TEXT, Kind
from nomock.contracts.reads.names import Name


@dataclass(frozen=True)
class Read:
    """A variable that a service reads."""

    name: str
    """The variable; a regular expression where ``is_pattern``."""
    file: str
    line: int
    is_required: bool
    """Whether the code raises where it is not set."""
    is_at_start: bool = False
    """Whether it is read whenever the service starts, in each run of the code."""
    kind: Kind = TEXT
    is_pattern: bool = False
    ignores_case: bool = False

    @property
    def place(self) -> str:
        """File and line."""
        return f"{self.file}:{self.line}"


@dataclass(frozen=True)
class RawRead:
    """A read in one function; its name may be an argument of that."""

    name: Name
    line: int
    is_strict: bool
    """Whether it raises by itself where the variable is not set, as a subscript does."""
    has_default: bool
    default_parameter: str = ""
    """The parameter of the function that is the default."""
    kind: Kind = TEXT
    is_sure: bool = True
    """Whether it is read whenever the function runs."""
    mapping: str = ""
    """The parameter that it is read from; "": from the environment."""


@dataclass(frozen=True)
class Argument:
    """What a call hands on."""

    name: Name
    is_environment: bool = False
    is_none: bool = False


@dataclass(frozen=True)
class RawCall:
    """A call of something by its dotted name."""

    target: str
    positional: tuple[Argument, ...]
    keywords: Mapping[str, Argument]
    line: int
    kind: Kind = TEXT
    cast: str = ""
    is_sure: bool = True


@dataclass
class Unit:
    """A function, by its dotted name in its file; "" is what runs when the file is imported."""

    name: str
    parameters: tuple[str, ...] = ()
    none_by_default: frozenset[str] = frozenset()
    """Parameters whose default is None."""
    given_by_default: frozenset[str] = frozenset()
    """Parameters with another default."""
    returns: Kind = TEXT
    raises: bool = False
    is_decorated: bool = False
    """Whether a decorator may hand it to somebody who calls it, as that of a web framework does."""
    is_of_class: bool = False
    """Whether it is a class method or a static one, which is called by its class's name."""
    mentions: set[str] = field(default_factory=set)
    """Dotted names that stand in it without being called: they may be called later."""
    reads: list[RawRead] = field(default_factory=list)
    calls: list[RawCall] = field(default_factory=list)


@dataclass(frozen=True)
class Field:
    """A field of a class of settings."""

    name: str
    line: int
    annotation: str
    has_default: bool
    aliases: tuple[str, ...]


@dataclass
class ClassSeen:
    """A class: its bases, and what pydantic would make of it."""

    name: str
    bases: tuple[str, ...]
    fields: list[Field] = field(default_factory=list)
    config: dict[str, str] = field(default_factory=dict)
    """Of ``model_config`` or ``class Config``, what is written out."""


@dataclass(frozen=True)
class Imported:
    """A name that a file got by an import."""

    module: str
    attribute: str = ""
    """"" where the name is the module itself."""
    is_sure: bool = True


@dataclass
class Module:
    """One Python file."""

    path: PurePosixPath
    """As messages show it."""
    units: dict[str, Unit] = field(default_factory=dict)
    classes: dict[str, ClassSeen] = field(default_factory=dict)
    imported: dict[str, Imported] = field(default_factory=dict)
    made: dict[str, str] = field(default_factory=dict)
    """A name -> what was called for it: ``env = Env()``."""
    strings: set[str] = field(default_factory=set)
    """Texts that may name a module: ``"app.main:app"``."""
    sets: set[str] = field(default_factory=set)
    """Variables that the file itself sets."""
    is_dynamic: bool = False
    """Whether it looks at all variables, so that nobody knows which it reads."""

    @property
    def parts(self) -> tuple[str, ...]:
        """Its dotted name in parts, from the folder that messages start with."""
        parts = self.path.with_suffix("").parts
        return parts[:-1] if parts[-1] == "__init__" else parts
