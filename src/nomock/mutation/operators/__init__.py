"""The mutation operators, one file a kind; what is not in ``ALL`` is not used."""

from nomock.mutation.operators.comparison import Comparison
from nomock.mutation.operators.operator import Change, Operator

ALL: tuple[Operator, ...] = (Comparison(),)
"""All operators, in the order in which their mutants of one line are given."""

__all__ = ["ALL", "Change", "Operator"]
