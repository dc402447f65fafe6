"""The environment of each service: what is set against what is read, before anything starts."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from nomock.contracts.entries import entries, scripts
from nomock.contracts.finding import Finding
from nomock.contracts.hosts import hosts_of, is_alone, other_hosts
from nomock.contracts.image_files import ImageFiles, image_files
from nomock.contracts.known import BY_OTHERS, is_read_by_packages, known_image
from nomock.contracts.near import near
from nomock.contracts.other_reads import script_reads, set_by_script, source_reads
from nomock.contracts.reads import Program, Read
from nomock.contracts.reads.scan import scan
from nomock.contracts.values import Surroundings, faults_of
from nomock.project import Project, ServiceConfig, place


@dataclass(frozen=True)
class Reading:
    """A service, what its files read, and what it is told."""

    service: ServiceConfig
    image: ImageFiles
    settings: Mapping[str, str]
    """Variable -> value, as the service gets them."""
    places: Mapping[str, str]
    """Variable -> where it is set."""

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

    def reads_of(self, name: str) -> list[Read]:
        """Return the reads of a variable."""
        return [read for read in self.reads if _is_of(read, name)]

    def has(self, read: Read) -> bool:
        """Tell whether somebody sets what is read."""
        known = {*self.settings, *self.image.dockerfile.variables, *self.dotenv}
        known |= self.program.sets | BY_OTHERS | self.set_by_scripts
        return any(_is_of(read, name) for name in known)


def environment_findings(project: Project) -> tuple[list[Finding], int]:
    """Return what of a project's variables does not fit, and how many were looked at.

    Nothing is started, and no engine is asked.
    """
    readings = [_reading(project, service) for service in project.services.values()]
    shared = _shared(readings)
    named = {name for one in readings for name in (*one.settings, *(r.name for r in one.reads))}
    found: list[Finding] = []
    for one in readings:
        found += _of_image(one)
        misspelt = [*_unread(one, shared, readings)]
        meant = {finding.cure.removesuffix("?") for finding in misspelt}
        found += misspelt
        found += [finding for finding in _missing(one) if finding.variable not in meant]
        found += _types(one)
        found += _values(project, one, named)
    looked_at = {(o.service.name, n) for o in readings for n in o.settings}
    looked_at |= {(o.service.name, r.name) for o in readings for r in o.reads}
    return _once(found), len(looked_at)


def _reading(project: Project, service: ServiceConfig) -> Reading:
    told = {name: str(value) for name, value in service.environment.items() if value is not None}
    image = image_files(project, service)
    places = {name: _place(project, service, name) for name in told}
    return Reading(service, image, told, places)


def _place(project: Project, service: ServiceConfig, name: str) -> str:
    found = place(project, service.name, name) or place(project, "", name)
    return found.removesuffix(": ") or f"environment of {service.name}"


def _shared(readings: Iterable[Reading]) -> set[str]:
    """Return the places that set a variable for several services: of an anchor, of an env_file."""
    users: dict[str, set[str]] = defaultdict(set)
    for one in readings:
        for where in one.places.values():
            users[where].add(one.service.name)
    return {where for where, names in users.items() if len(names) > 1}


def _missing(one: Reading) -> Iterator[Finding]:
    """Yield what a service cannot do without and is not told."""
    if not one.program.entries:
        return  # nobody knows which of its files run
    by_name: dict[str, Read] = {}
    for read in one.reads:
        if read.is_required and not read.is_pattern and not one.has(read):
            if not read.is_at_start and _asks_before(one, read):
                continue
            before = by_name.get(read.name)
            if before is None or (read.is_at_start and not before.is_at_start):
                by_name[read.name] = read
    for name, read in by_name.items():
        when = "to start" if read.is_at_start else "at some time"
        yield Finding(
            one.service.name,
            name,
            f"{name} is not set, and it needs it {when}",
            "",
            read.place,
            f"set it in environment or env_file of {one.service.name}",
            read.is_at_start,
        )


def _unread(one: Reading, shared: set[str], readings: Iterable[Reading]) -> Iterator[Finding]:
    """Yield what is set and read by nobody: a misspelt name, or a rest of what was."""
    known = known_image(one.service.image) if not one.service.is_built else None
    if known is not None or not one.reads:
        return
    wanted = {r.name for r in one.reads if not r.is_pattern and not one.has(r)}
    for name in one.settings:
        where = one.places[name]
        if one.reads_of(name) or name in BY_OTHERS or name in one.image.words:
            continue
        if where in shared and any(o.reads_of(name) for o in readings):
            continue
        meant = near(name, wanted)
        if not meant and (is_read_by_packages(name) or one.program.is_dynamic or where in shared):
            continue
        reader = next((r.place for r in one.reads if r.name == meant), "")
        yield Finding(
            one.service.name,
            name,
            f"{name} is set, and nothing reads it",
            where,
            reader,
            f"{meant}?" if meant else "remove it, unless a package reads it by itself",
            bool(meant),
        )


def _types(one: Reading) -> Iterator[Finding]:
    """Yield values that the code cannot take for what it takes them for."""
    for name, value in one.settings.items():
        if not value:
            continue  # many take that for a variable that is not set
        for read in one.reads_of(name):
            if trouble := read.kind.trouble(value):
                yield Finding(
                    one.service.name,
                    name,
                    f"{name} has a value that will not do: {trouble}",
                    one.places[name],
                    read.place,
                    f"the code wants: {read.kind.name}"
                    if read.kind.name != "truth"
                    else "compare the text in the code, or leave the variable out",
                    read.is_at_start,
                )
                break


def _values(project: Project, one: Reading, variables: set[str]) -> Iterator[Finding]:
    hosts = hosts_of(project, one.service)
    alone = is_alone(project, one.service)
    around = Surroundings(hosts, other_hosts(one.service), alone, variables)
    for name, value in one.settings.items():
        for fault in faults_of(name, value, around):
            reader = next((read.place for read in one.reads_of(name)), "")
            yield Finding(
                one.service.name,
                name,
                f"{name} {fault.what}",
                one.places[name],
                reader,
                fault.cure,
                fault.is_certain,
            )


def _of_image(one: Reading) -> Iterator[Finding]:
    """Yield what an image that is known does not read, and what it cannot do without."""
    known = known_image(one.service.image)
    if known is None or one.service.is_built:
        return
    own = one.service.config
    is_own_start = not own.get("entrypoint") and not own.get("command")
    if is_own_start and known.one_of and not known.one_of & one.settings.keys():
        names = sorted(known.one_of)
        yield Finding(
            one.service.name,
            names[0],
            f"none of {', '.join(names)} is set, and {one.service.image} does not start so",
            "",
            "",
            "set one of them",
        )
    for name, where in one.places.items():
        if name.startswith(known.prefix) and name not in known.names:
            meant = near(name, known.names)
            yield Finding(
                one.service.name,
                name,
                f"{name} is set, and {one.service.image} does not read it",
                where,
                "",
                f"{meant}?" if meant else "remove it",
                bool(meant and meant not in one.settings),
            )


def _asks_before(one: Reading, read: Read) -> bool:
    """Tell whether the same file also reads a variable so that it may be missing."""
    others = one.reads_of(read.name)
    return any(not other.is_required and other.file == read.file for other in others)


def _is_of(read: Read, name: str) -> bool:
    flags = re.IGNORECASE if read.ignores_case else 0
    if read.is_pattern:
        return bool(re.fullmatch(read.name, name, flags))
    return read.name.upper() == name.upper() if read.ignores_case else read.name == name


def _once(found: Iterable[Finding]) -> list[Finding]:
    """Return findings without those that say the same, the certain ones first in each service."""
    unique = dict.fromkeys(found)
    return sorted(unique, key=lambda f: (f.service, not f.is_certain))
