"""What a harvest asks about the containers: whether a file is there, whether an image is current.

A file that never ran left no record; the engine tells whether it is in the image, also of a
container that has ended.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor

from nomock.errors import TargetError
from nomock.target import Container, Target

_AT_ONCE = 8


class Unknown:
    """Nobody can be asked: every file is taken to be there, and no image to be current."""

    def is_current(self, service: str) -> bool:
        """Tell whether the image that a service builds is of its contexts as they are now."""
        return False

    def there(self, service: str, paths: Collection[str]) -> frozenset[str]:
        """Return those of some paths that are files in a service's container."""
        return frozenset(paths)


class Inside(Unknown):
    """The engine is asked, about each file of a container once."""

    def __init__(
        self,
        target: Target,
        containers: Callable[[], Collection[Container]],
        is_current: Callable[[str], bool],
    ) -> None:
        self._target = target
        self._containers = containers
        self._is_current = is_current
        self._known: dict[tuple[str, str], bool] = {}

    def is_current(self, service: str) -> bool:
        """Tell whether the image that a service builds is of its contexts as they are now."""
        try:
            return self._is_current(service)
        except TargetError:
            return False

    def there(self, service: str, paths: Collection[str]) -> frozenset[str]:
        """Return those of some paths that are files in a service's container.

        All of them where it has none any more, or the engine does not answer.
        """
        try:
            own = [c.id for c in self._containers() if c.service == service] if paths else []
            if not own:
                return frozenset(paths)
            asked = [path for path in paths if (own[0], path) not in self._known]
            with ThreadPoolExecutor(_AT_ONCE) as pool:
                answers = pool.map(lambda path: self._target.has_file(own[0], path), asked)
                self._known.update(
                    ((own[0], path), answer) for path, answer in zip(asked, answers, strict=True)
                )
        except TargetError:
            return frozenset(paths)
        return frozenset(path for path in paths if self._known[own[0], path])
