"""Mutants of what an import runs: on for a whole process, which is started with them."""

from __future__ import annotations

from importlib.machinery import SourceFileLoader

from nomock_spy.files import content
from nomock_spy.guard import swallow
from nomock_spy.hints import Any, Callable
from nomock_spy.mutants.switching import sum_of
from nomock_spy.mutants.told import Told
from nomock_spy.standins import replace


def install(told: Told) -> None:
    """Let modules be other texts when they are imported, or run by ``python -m``.

    The run says of each: ``mutants``, their ids; ``module``, as in the index; ``name``, that of
    the file; ``text``, the whole of it.
    """
    replace(SourceFileLoader, "get_code", lambda get_code: _mutated(get_code, told))


def _mutated(get_code: Any, told: Told) -> Callable[..., Any]:
    def mutated(path: str) -> dict[str, Any] | None:
        named = [one for one in told.imported if path.endswith("/" + one["name"])]
        module = sum_of(content(path)) if named else ""
        return next((one for one in named if one["module"] == module), None)

    def get_code_of_mutant(self: Any, fullname: str) -> Any:
        try:
            path = self.get_filename(fullname)
            one = mutated(path)
        except BaseException as error:
            swallow(error)
            one = None
        if one is None:
            return get_code(self, fullname)
        for mutant in one["mutants"]:
            told.say(ran=mutant)
        return compile(one["text"], path, "exec", dont_inherit=True)

    return get_code_of_mutant
