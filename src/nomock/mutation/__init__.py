"""Mutants: small defects put into the services' code, to see whether the tests notice them."""

from nomock.mutation.aside import Aside, add_aside, read_asides, stale_asides
from nomock.mutation.find import mutants_of
from nomock.mutation.mutant import Mutant, diff, mutate
from nomock.mutation.operators import ALL, Operator
from nomock.mutation.sourcetext import decoded
from nomock.mutation.verdict import NOTICED, Status, Verdict

__all__ = [
    "ALL",
    "NOTICED",
    "Aside",
    "Mutant",
    "Operator",
    "Status",
    "Verdict",
    "add_aside",
    "decoded",
    "diff",
    "mutants_of",
    "mutate",
    "read_asides",
    "stale_asides",
]
