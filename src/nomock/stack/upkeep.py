"""The interface of what makes a stack what its files say, keeps it so, and takes it away."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from nomock.readiness import ReadinessWatch
from nomock.target import Container


class Upkeep(Protocol):
    """Of one stack, on one kind of target."""

    @property
    def name(self) -> str:
        """What the stack is called; no other one of these compose files is called so."""

    def refuse_foreign(self, containers: Sequence[Container]) -> None:
        """Raise ForeignStackError where containers of that name are somebody else's."""

    def changes(self, containers: Sequence[Container]) -> dict[str, str]:
        """Return the services that are not what the files say: service -> reason."""
        ...

    def new_bases(self) -> dict[str, str]:
        """Return the services whose images were built upon images that others took the place of.

        Built or pulled under the same name, outside of this project.
        """
        ...

    def is_there(self) -> bool:
        """Tell whether there is anything of the stack, its data too."""
        ...

    def image_is_current(self, service: str) -> bool:
        """Tell whether the image of a service was built here, of its context as it is now."""
        ...

    def built_image(self, service: str) -> str | None:
        """Return the id of the image that was built here last for a service; None without one."""
        ...

    def is_replaceable(
        self, containers: Sequence[Container], differences: Mapping[str, str]
    ) -> bool:
        """Tell whether the differences are gone once services are replaced one by one."""
        ...

    def written_files(self) -> Mapping[str, Sequence[str]]:
        """Return service -> the mounted files that it writes to."""
        ...

    def start_up(
        self,
        watch: ReadinessWatch,
        differences: Mapping[str, str],
        progress: Callable[[str], None],
        when_built: Callable[[], None],
        *,
        only_replace: bool,
    ) -> None:
        """Make the stack what its files say, and wait until all of it is ready.

        ``when_built`` is called as soon as all images are there. ``only_replace``: raise
        ComposeError where it is not done by replacing services. Raises NomockError.
        """

    def start_sharers(self, service: str) -> list[str]:
        """Start anew who shares something of a service that was started again; return these."""
        ...

    def take_down(self, *, volumes: bool) -> None:
        """Take the stack away, with its data if ``volumes``. Raises NomockError."""

    def ended(self) -> None:
        """Note that a run which used the stack has ended."""
