"""A mutant of what an import runs: on for a whole process, which is started with it."""

from __future__ import annotations

from importlib.machinery import SourceFileLoader

from nomock_spy.files import content
from nomock_spy.guard import swallow
from nomock_spy.hints import Any, Callable
from nomock_spy.mutants.switching import sum_of
from nomock_spy.mutants.told import Told
from nomock_spy.standins import replace


def install(told: Told) -> None:
    """Let the module be another text when it is imported, or run by ``python -m``.

    The run says which: ``mutant``, its id; ``module``, as in the index; ``name``, that of the
    file; ``text``, the whole of it.
    """
    replace(SourceFileLoader, "get_code", lambda get_code: _mutated(get_code, told))


def _mutated(get_code: Any, told: Told) -> Callable[..., Any]:
    mutant = told.imported

    def get_code_of_mutant(self: Any, fullname: str) -> Any:
        try:
            path = self.get_filename(fullname)
            is_named = path.endswith("/" + mutant["name"])
            is_it = is_named and sum_of(content(path)) == mutant["module"]
        except BaseException as error:
            swallow(error)
            is_it = False
        if not is_it:
            return get_code(self, fullname)
        told.say(ran=mutant["mutant"])
        return compile(mutant["text"], path, "exec", dont_inherit=True)

    return get_code_of_mutant
