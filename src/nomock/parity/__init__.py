"""Parity: what the same tests came to on two targets, and what of that differs.

``take`` puts the record of the last run together, ``compare`` looks at two of them.
"""

from nomock.parity.compare import Difference, compare
from nomock.parity.record import VERSION, Record, Result, read_record
from nomock.parity.take import take

__all__ = ["VERSION", "Difference", "Record", "Result", "compare", "read_record", "take"]
