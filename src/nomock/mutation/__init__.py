"""Mutants: small defects put into the services' code, to see whether the tests notice them."""

from nomock.mutation.find import mutants_of
from nomock.mutation.mutant import Mutant, diff, mutate
from nomock.mutation.operators import ALL, Operator
from nomock.mutation.sourcetext import decoded
from nomock.mutation.verdict import Status, Verdict

__all__ = [
    "ALL",
    "Mutant",
    "Operator",
    "Status",
    "Verdict",
    "decoded",
    "diff",
    "mutants_of",
    "mutate",
]
