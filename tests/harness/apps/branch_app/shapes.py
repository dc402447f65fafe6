# ruff: noqa
# fmt: off
"""Every shape of a branch, in any style: taken both ways, one way, or not at all."""

import asyncio
import contextlib
import functools
import sys


def decorated(function):
    @functools.wraps(function)
    def wrapper(*arguments):
        return function(*arguments)

    return wrapper


class Refused(Exception): pass
class Unused(Exception): pass
def one_line(number): return number + 1
def never_called(number): return number - 1
def decides_on_one_line(number): return number and number + 1 or 0
def generates_on_one_line(): yield 1
async def awaits_on_one_line(): await asyncio.sleep(0)


@decorated
def one_line_decorated(number): return number


@functools.total_ordering
class OneLineDecorated: __lt__ = lambda one, two: True


def ifs(number):
    if number == 0:
        return "none"
    if number > 1:
        result = "many"
    elif number == 1:
        result = "one"
    else:
        result = "less"
    if result:
        pass
    if result == "never":
        return
    if number: result += "!"
    if number > 100: return result
    if not number: return None
    if (
        number == 1
        and result
    ):
        result += "?"
    return result


def chained(low, high):
    if 0 < low < high < 10:
        low += 1
    if (
        0
        < low
        < high
    ):
        high += 1
    else:
        high -= 1
    if low < high != 5: low = 5
    return low < high < 3


def for_else(numbers, wanted):
    for number in numbers:
        if number == wanted:
            found = number
            break
    else:
        found = None
    for number in numbers:
        if number:
            continue
        found = number
    else:
        found = found or 0
    for (
        first,
        second
    ) in zip(
        numbers,
        numbers,
    ):
        found = first + second
    for (
        index
    ) in (
        numbers
    ):
        if index:
            return index
    return found


def for_never_ends(numbers):
    for number in numbers:
        if number > 1:
            return number
        if number > 100:
            raise ValueError(number)
    return None


def for_never_starts(numbers):
    for number in numbers:
        print(number)
    for number in numbers: print(number)
    return numbers


def while_else(number):
    while number > 0:
        number -= 1
        if number == 7:
            break
    else:
        number = 10
    while number and (
        number > 5
        or number == 3
    ):
        number -= 1
    while number > 3: number -= 1
    while True:
        number += 1
        if number < 6:
            continue
        if number > 8:
            break
    while 1:
        if number:
            return number


def tries(what):
    try:
        if what == "value":
            raise ValueError(what)
        if what == "key":
            raise KeyError(what)
        if what == "return":
            return what
    except ValueError:
        result = "value"
    except (
        KeyError,
        TypeError,
    ) as error:
        result = str(error)
        if not result:
            raise
    else:
        result = "none"
    finally:
        done = True
        if what is None:
            done = False
    return result, done


def finally_in_loop(numbers):
    total = 0
    for number in numbers:
        try:
            if number == 1:
                continue
            if number == 3:
                break
            if number == 9:
                return None
            total += number
        finally:
            total += 100
    try:
        total += 1
    finally:
        if total > 1000:
            total = 1000
    return total


def tries_in_vain():
    try:
        raise Refused
    except ValueError:
        pass
    finally:
        done = 1
    return done


def groups(kind):
    try:
        raise ExceptionGroup("some", [kind("one")])
    except* ValueError:
        result = 1
    except* TypeError:
        result = 2
    return result


def withs(what):
    with contextlib.suppress(ValueError):
        if what:
            raise ValueError
    with contextlib.suppress(ValueError), contextlib.suppress(KeyError):
        if what:
            raise KeyError
        what = 1
    with (
        contextlib.suppress(ValueError) as one,
        contextlib.suppress(KeyError) as two,
    ):
        if what:
            what = (one, two)
    with contextlib.suppress(ValueError):
        with contextlib.suppress(KeyError):
            if what == 5:
                what = 6
    for number in (1, 2):
        with contextlib.suppress(ValueError):
            if number == 1:
                continue
            if number == 2:
                break
            if number == 3:
                return
    with contextlib.suppress(ValueError):
        while what:
            what = None
    with contextlib.suppress(ValueError): what = 2
    with contextlib.suppress(ValueError):
        if what:
            return what
    with contextlib.suppress(ValueError):
        return 7


def matches(command):
    match command:
        case "go":
            result = 1
        case ["go", direction] if direction != "up":
            result = 2
        case {"to": place} | {
            "at": place
        }:
            result = place
        case int() | (
            float()
        ) as number:
            result = number
        case "never":
            result = 4
        case _:
            result = 5
    match command:
        case str():
            result += 1
    match command:
        case (
            str()
        ):
            return result
        case other:
            return other and result


def comprehensions(numbers):
    big = [number for number in numbers if number > 1]
    odd = {
        number
        for number in numbers
        if number % 2
        if number
    }
    named = {number: str(number) for number in numbers if number}
    total = sum(number for number in numbers if number)
    if any(number > 1 for number in numbers):
        total += 1
    if [number for number in numbers if number > 100]:
        total += 1
    for number in [one for one in numbers if one]:
        total += number
    for number in (
        one
        for one in numbers
        if one
    ):
        total += number
    return big, odd, named, total


def booleans(one, two):
    both = one and two
    either = (
        one
        or two
        or both
    )
    if one and two or not either:
        return either
    if one or (
        two
        and not both
    ):
        return one
    if (taken := one) or (
        taken := two
    ):
        return taken
    return not one


def conditionals(one):
    two = 1 if one else 2
    three = (
        one
        if one
        else two
    )
    if 1 if one else 0:
        three = 4
    if (
        one
        if two
        else three
    ):
        three = 5
    assert three
    assert (
        three
        or two
    ), "never"
    assert one or two, str(one)
    return three


def broken_off(one):
    if one:
        int("no number")
        one = 2
        if one:
            return one
    return one


def asserts(one):
    try:
        assert one, "it is not"
        if one:
            return 1
    except AssertionError:
        return 2


def raises_in_loop(numbers):
    for number in numbers:
        if number > 2:
            raise Refused(number)
        if number > 1:
            return number


def generator(numbers):
    for number in numbers:
        if number:
            yield number
    sent = yield
    if sent:
        yield sent
    yield from numbers
    while sent:
        sent = yield


def nested(one):
    def inner(two):
        if two:
            def innermost(): return two
            return innermost()
        return one

    decide = lambda three: three if three else one
    key = lambda three: (
        three
        or one
    )
    if one:
        class Local:
            field = 1
            if one == 1:
                field = 2
            else:
                field = 3

        return inner(one) + decide(0) + key(1) + Local.field
    return inner(one)


@decorated
@decorated
def twice(one):
    if one:
        one = 2
    return one


async def numbers_of(count):
    for number in range(count):
        yield number


@contextlib.asynccontextmanager
async def managed():
    yield 1


async def asynchronous(count):
    async for number in numbers_of(count):
        if number == 1:
            break
    else:
        number = 9
    async for number in numbers_of(
        count
    ):
        if number: await asyncio.sleep(0)
        if number > 10:
            return number
    async with managed() as one:
        if one:
            number = 2
    async with managed(), managed() as two:
        if two == 3:
            return two
    async with (
        managed() as one,
        managed() as two,
    ):
        if one == two:
            number += 1
    found = [number async for number in numbers_of(count) if number]
    if await numbers_of(1).__anext__() or (
        await numbers_of(2).__anext__()
    ):
        number = 3
    while await asyncio.sleep(0, number):
        number = 0
    return number, found


def long_jump(number):
    if number:
        number = [
            (number, number + 1, number + 2, number + 3, number + 4), (number, 1), (number, 2),
            (number, number + 1, number + 2, number + 3, number + 4), (number, 1), (number, 2),
            (number, number + 1, number + 2, number + 3, number + 4), (number, 1), (number, 2),
            (number, number + 1, number + 2, number + 3, number + 4), (number, 1), (number, 2),
            (number, number + 1, number + 2, number + 3, number + 4), (number, 1), (number, 2),
            (number, number + 1, number + 2, number + 3, number + 4), (number, 1), (number, 2),
            (number, number + 1, number + 2, number + 3, number + 4), (number, 1), (number, 2),
            (number, number + 1, number + 2, number + 3, number + 4), (number, 1), (number, 2),
        ]
    return number


class Shape:
    sides = 3

    def __init__(self, sides):
        if sides:
            self.sides = sides

    @property
    def name(self):
        return "many" if self.sides > 4 else "few"

    @name.setter
    def name(self, value):
        if value:
            self.sides = value

    @staticmethod
    def empty(): ...


def main():
    one_line(1), decides_on_one_line(0), one_line_decorated(1), list(generates_on_one_line())
    asyncio.run(awaits_on_one_line())
    [ifs(number) for number in (0, 1, 2)]
    chained(1, 2), chained(5, 2)
    for_else([0, 1], 1), for_else([], 1)
    for_never_ends([1, 2]), for_never_starts([])
    while_else(5)
    [tries(what) for what in ("value", "key", "return", "")]
    finally_in_loop([1, 2, 3])
    try:
        tries_in_vain()
    except Refused:
        groups(ValueError)
    withs(0), withs(1)
    [matches(command) for command in ("go", ["go", "down"], {"at": 3}, 1.5, None)]
    comprehensions([0, 1, 2])
    booleans(0, 1), booleans(1, 1)
    conditionals(1)
    asserts(0), asserts(1)
    try:
        broken_off(1)
    except ValueError:
        pass
    try:
        raises_in_loop([1, 3])
    except Refused:
        pass
    list(generator([0, 1])), next(generator([1]))
    nested(1)
    twice(1)
    asyncio.run(asynchronous(3))
    long_jump(0)
    Shape(0).name
    Shape(4).name = 0


if __name__ == "__main__":
    sys.audit("nomock.context", "nomock.test=test_shapes.py%3A%3Atest_all")
    main()
    sys.audit("nomock.context", "")
