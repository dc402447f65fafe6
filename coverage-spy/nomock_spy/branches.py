"""What a branch of the bytecode means for lines, as coverage.py has it; Python 3.14 and newer.

``sys.monitoring`` tells of a branch by the offsets of two instructions. From the second one on
Python does what follows until the next branch, and so goes from line to line on one *trail*: each
step of it is an arc. There can be more than one, since only the harvest, which parses the source,
knows whether the first lines of a trail still are of the statement that branched::

    for name in (
        names       # the branch is here: its trail goes to the line above,
    ):
        use(name)   # and only from there to this one

What an exception keeps from running is on a trail all the same; the harvest leaves out the arcs
between lines that did not run.
"""

from __future__ import annotations

from nomock_spy.contexts import Arc
from nomock_spy.guard import swallow
from nomock_spy.hints import Any, CodeType, Iterable, Iterator, defaultdict

Branch = tuple[int, int]
"""The offsets of an instruction and of the one that it goes to."""

_UNIT_BYTES = 2  # an operation and its argument


class Branches:
    """The arcs of each branch, found when the first branch of a piece of code is taken."""

    def __init__(self) -> None:
        # A code object is known by its begin and its name: to hash one takes a microsecond.
        self._trails: dict[tuple[Any, ...], dict[Branch, tuple[Arc, ...]]] = {}
        self._varying: set[tuple[str, int, str]] = set()
        self.definitions: defaultdict[tuple[str, int], list[tuple[CodeType, CodeType]]]
        self.definitions = defaultdict(list)
        """Each line that defines a piece of code on itself: the definition's code, and its own."""

    def arcs(self, code: CodeType, source: int, destination: int) -> tuple[Arc, ...]:
        """Return the arcs of a branch; from RESUME to itself: those that the code begins with."""
        key: tuple[Any, ...] = code.co_filename, code.co_firstlineno, code.co_name
        if key in self._varying:
            key = code, *key
        trails = self._trails.get(key)
        if trails is None:
            trails = self._trails[key] = _trails(code)
        arcs = trails.get((source, destination))
        if arcs is None:  # where LINE events are on, `async for` has other offsets than it says
            arcs = trails[source, destination] = tuple(_Walk(code).arcs(source, destination))
        return arcs

    def vary(self, code: CodeType) -> None:
        """Learn that there is other code of this begin and name."""
        self._varying.add((code.co_filename, code.co_firstlineno, code.co_name))

    def expect(self, code: CodeType) -> None:
        """Learn of the classes and functions on one line that code defines.

        ``class Refused(Exception): pass``: of all statements only such a one can be left for two
        lines without a branch, where it is defined and where its body is.
        """
        try:
            children = [child for child in code.co_consts if isinstance(child, CodeType)]
            lines = _lines(code) if children else set()
            for child in children:
                line = _line_of_body(child)
                # Not <lambda>, nor what else is no statement.
                if line in lines and child.co_name[0] != "<":
                    self.definitions[code.co_filename, line].append((code, child))
        except BaseException as error:
            swallow(error)

    def arcs_of_line(self, code: CodeType, line: int) -> tuple[Arc, ...]:
        """Return what it means for arcs that a line of code ran: something for a definition."""
        arcs: tuple[Arc, ...] = ()
        for parent, child in self.definitions[code.co_filename, line]:
            if code is parent:
                arcs += tuple(_Walk(code).arcs_behind(line))
            elif code is child:
                arcs += tuple(_Walk(code).arcs_from_begin())
        return arcs


def _trails(code: CodeType) -> dict[Branch, tuple[Arc, ...]]:
    walk = _Walk(code)
    trails = {
        (source, destination): tuple(walk.arcs(source, destination))
        for source, *destinations in _branches(code)
        for destination in destinations
    }
    # Of use for a definition on one line only: see expect.
    begins = () if _line_of_body(code) is None else tuple(walk.arcs_from_begin())
    trails[walk.begin, walk.begin] = begins
    return trails


def _branches(code: CodeType) -> Iterable[tuple[int, int, int]]:
    """Return each branch of code: the offset of its instruction, and those that it may go to."""
    found: Iterable[tuple[int, int, int]] = code.co_branches()  # type: ignore[attr-defined]
    return found


def _lines(code: CodeType) -> set[int]:
    return {line for _, _, line in code.co_lines() if line}


def _line_of_body(code: CodeType) -> int | None:
    """Return the line of a class's or function's body, if it is one; with decorators the second."""
    lines = _lines(code)
    body = lines - {code.co_firstlineno} or lines
    return body.pop() if len(body) == 1 else None


class _Walk:
    """Walks through the instructions of a code object as far as there is one way."""

    def __init__(self, code: CodeType) -> None:
        from opcode import opmap  # half a millisecond that not every process has to pay

        self._operations = code.co_code[::_UNIT_BYTES]
        self._arguments = code.co_code[1::_UNIT_BYTES]
        self._exit = -code.co_firstlineno
        self._lines: list[int | None] = []
        for start, end, line in code.co_lines():
            self._lines += [line] * ((end - start) // _UNIT_BYTES)
        self._branches = {source for source, *_ in _branches(code)}
        self._forward = {opmap["JUMP_FORWARD"], opmap["SEND"]}  # SEND: an await ends there
        self._backward = {opmap["JUMP_BACKWARD"], opmap["JUMP_BACKWARD_NO_INTERRUPT"]}
        self._raise = {opmap["RAISE_VARARGS"], opmap["RERAISE"]}
        self._return = opmap["RETURN_VALUE"]
        self._extend = opmap["EXTENDED_ARG"]
        self._cache = opmap["CACHE"]  # no operation: room for what Python learns about one
        self.begin = self._operations.index(opmap["RESUME"]) * _UNIT_BYTES

    def arcs_from_begin(self) -> Iterator[Arc]:
        """Yield the arcs that the code begins with."""
        return self.arcs(self.begin, self.begin)

    def arcs_behind(self, line: int) -> Iterator[Arc]:
        """Yield the arcs from the last instruction of a line on."""
        last = max(unit for unit, own in enumerate(self._lines) if own == line) * _UNIT_BYTES
        return self.arcs(last, last)

    def arcs(self, source: int, destination: int) -> Iterator[Arc]:
        """Yield the arcs from the line of an instruction through another one to the next branch.

        The two are given by their offsets.
        """
        line = self._lines[source // _UNIT_BYTES]
        unit, argument, passed = destination // _UNIT_BYTES, 0, set()
        while line and unit not in passed:  # a loop without a branch: while True
            passed.add(unit)
            operation = self._operations[unit]
            here = self._lines[unit]
            if here and here != line:
                yield line, here
                line = here
            if operation == self._return:
                yield line, self._exit
            if operation == self._return or operation in self._raise:
                return
            if unit * _UNIT_BYTES in self._branches:
                return
            argument = argument << 8 | self._arguments[unit]
            unit += 1
            if operation == self._extend:
                continue
            while self._operations[unit : unit + 1] == bytes([self._cache]):
                unit += 1
            if operation in self._forward:
                unit += argument
            elif operation in self._backward:
                unit -= argument
            argument = 0
