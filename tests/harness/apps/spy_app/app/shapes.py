"""Code of every shape; the lines that must not run say so."""

import asyncio
import threading
from dataclasses import dataclass


@dataclass
class Thing:
    name: str
    doubled = tuple([n * 2 for n in range(3)])

    def method(self) -> str:
        return self.name


def outer() -> int:
    def inner() -> int:
        class Deep:
            value = 1

        return Deep.value

    return inner()


triple = lambda n: (  # noqa: E731 - a lambda is what is covered here
    n * 3
)


def numbers():
    yield 1
    yield 2


async def later() -> int:
    await asyncio.sleep(0)
    return 4


def raises() -> None:
    try:
        raise ValueError
    except ValueError:
        pass
    finally:
        triple(1)


def chosen(flag: bool) -> str:
    if flag:
        return "chosen"
    return "other"  # never


def unused() -> None:
    triple(2)  # never


def in_thread() -> None:
    triple(3)


Thing("a").method()
outer()
list(numbers())
asyncio.run(later())
raises()
chosen(True)
thread = threading.Thread(target=in_thread)
thread.start()
thread.join()
