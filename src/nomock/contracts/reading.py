"""One service, or one container: what its files read, and what it is told."""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from nomock.contracts.entries import entries, scripts
from nomock.contracts.image_files import ImageFiles
from nomock.contracts.known import BY_OTHERS
from nomock.contracts.other_reads import script_reads, set_by_script, source_reads
from nomock.contracts.reads import Program, Read
from nomock.contracts.reads.scan import scan
from nomock.project import ServiceConfig


@dataclass(frozen=True)
class Reading:
    """A service, what its files read, and what it is told."""

    service: ServiceConfig
    image: ImageFiles
    settings: Mapping[str, str]
    """Variable -> value, as the service gets them."""
    places: Mapping[str, str]
    """Variable -> where it is set."""
    set_in: str = "environment or env_file"
    """Where one sets a variable of it."""
    is_whole: bool = True
    """Whether this is all that it is told."""
    given: frozenset[str] = frozenset()
    """The variables that it has, whoever may want them."""
    secrets: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Variable -> the secrets in its value, of which no part is to be shown."""
    used: frozenset[str] = frozenset()
    """The variables that others of its own, or its command, are made of."""

    @cached_property
    def program(self) -> Program:
        """Its Python."""
        files = [(p, t) for p, t in self.image.sources.items() if p.suffix == ".py"]
        found = (scan(path, text) for path, text in files)
        return Program(filter(None, found), entries(self.service, self.image))

    @cached_property
    def reads(self) -> list[Read]:
        """All that it reads."""
        found = [*self.program.reads()]
        own = dict(scripts(self.service, self.image))
        for path, text in self.image.sources.items():
            name = str(path)
            if name in own:
                found += script_reads(name, text)
            elif path.suffix == ".sh" or text.startswith("#!"):
                # Not what it starts with, as far as can be seen: nothing of it is required.
                found += [replace(r, is_required=False) for r in script_reads(name, text)]
            else:
                found += source_reads(name, text)
        return found

    @cached_property
    def dotenv(self) -> set[str]:
        """The variables of files in its image that are named as those of variables are."""
        texts = (
            t for p, t in self.image.texts.items() if re.match(r"\.?env(\.|$)|.*\.env$", p.name)
        )
        return {name for text in texts for name in re.findall(r"^(?:export )?(\w+)=", text, re.M)}

    @cached_property
    def set_by_scripts(self) -> set[str]:
        """The variables that the scripts set with which it starts."""
        found = scripts(self.service, self.image)
        return set().union(*(set_by_script(text) for _, text in found))

    def origin(self, name: str) -> Hashable:
        """Return by what a variable is known that was set once for several."""
        return self.places[name]

    def reads_of(self, name: str) -> list[Read]:
        """Return the reads of a variable."""
        return [read for read in self.reads if is_of(read, name)]

    def has(self, read: Read) -> bool:
        """Tell whether somebody sets what is read."""
        known = {*self.settings, *self.image.dockerfile.variables, *self.dotenv}
        known |= self.given | self.program.sets | BY_OTHERS | self.set_by_scripts
        return any(is_of(read, name) for name in known)


def is_of(read: Read, name: str) -> bool:
    """Tell whether a variable is the one that is read, or one of those."""
    flags = re.IGNORECASE if read.ignores_case else 0
    if read.is_pattern:
        return bool(re.fullmatch(read.name, name, flags))
    return read.name.upper() == name.upper() if read.ignores_case else read.name == name
