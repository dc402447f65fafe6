"""What is wrong with settings, compose files and folders."""

from __future__ import annotations

import re
from collections.abc import Iterable

from nomock.errors.base import NomockError, did_you_mean


class ConfigError(NomockError):
    """A setting or a compose file is wrong."""


class UnknownServiceError(ConfigError, KeyError):
    """A service was named that the stack does not have."""

    def __init__(self, name: str, known: Iterable[str], *, where: str) -> None:
        self.name = name
        self.known = sorted(known)
        super().__init__(
            f"there is no service {name!r}",
            where=where,
            seen=f"the services are: {', '.join(self.known)}",
            todo=did_you_mean(name, self.known),
        )

    # KeyError's own __str__ shows the repr of its first argument.
    __str__ = NomockError.__str__


class UnknownEdgeError(ConfigError, KeyError):
    """An edge was named that does not run through Toxiproxy."""

    def __init__(
        self, name: str, known: Iterable[str], services: Iterable[str], *, where: str
    ) -> None:
        """``known``: the edges that do; ``services``: those that an edge may be between."""
        self.name = name
        self.known = sorted(known)
        ends = [end.strip() for end in name.split("->")]
        if len(ends) == 2 and set(ends) <= set(services):
            what = f"the edge {name!r} does not run through Toxiproxy"
            todo = "route this connection through Toxiproxy: nomock docs faults"
        else:
            what = f"there is no edge {name!r}"
            todo = did_you_mean(name, self.known)
        super().__init__(
            what,
            where=where,
            seen=f"the edges are: {', '.join(self.known) or 'none'}",
            todo=todo,
        )

    __str__ = NomockError.__str__


class UnpublishedError(ConfigError):
    """A port was asked for that the compose file does not publish."""

    def __init__(self, service: str, port: str, published: Iterable[str], line: str) -> None:
        """``port``: which, in words; ``line``: what would publish it."""
        super().__init__(
            f"the compose file does not publish {port}",
            where=f"service {service}",
            seen=f"published: {', '.join(published) or 'none'}",
            todo=f"publish it: add to {service} in the compose file  ports: [{line}]",
        )


class ForeignStackError(ConfigError):
    """The project name is taken by a stack of another compose file: refused, not adopted."""

    def __init__(self, project: str, *, theirs: str, ours: str) -> None:
        """``theirs`` and ``ours``: compose files, joined by commas."""
        self.project = project
        if _folders(theirs) == _folders(ours):
            name = (
                "both are of one folder, from which they have the name: a line `name: …` at the "
                "top of each mends it, where no COMPOSE_PROJECT_NAME goes before it"
            )
        else:
            name = (
                "give this one a name of its own: COMPOSE_PROJECT_NAME, or project in [tool.nomock]"
            )
        super().__init__(
            "this project name belongs to a stack of another compose file",
            where=f"stack {project}",
            seen=f"running from {theirs}\nasked for    {ours}",
            todo=f"{name}; or end the other: docker compose -p {project} down",
        )


def _folders(files: str) -> set[str]:
    # A comma may be in a name, too; what follows one between two files is the start of a path.
    return {file.strip().rpartition("/")[0] for file in re.split(r",\s?(?=/)", files)}


class StateFolderError(ConfigError):
    """The folder of nomock's own state cannot be written, or its files not be locked."""

    def __init__(self, folder: object, error: OSError) -> None:
        """``folder``: where it was tried; ``error``: what the system says to it."""
        super().__init__(
            "nomock's own folder cannot be written",
            where=str(folder),
            seen=str(error),
            todo="free space there, or let this user write there",
        )
