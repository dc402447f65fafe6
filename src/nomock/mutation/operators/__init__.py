"""The mutation operators, one file a kind; what is not in ``ALL`` is not used.

Where two make the same change, it is the first one's: those of services come before those of any
program.
"""

from nomock.mutation.operators.argument import Argument
from nomock.mutation.operators.arithmetic import Arithmetic
from nomock.mutation.operators.awaiting import DroppedAwait
from nomock.mutation.operators.boolean import Boolean
from nomock.mutation.operators.command import MisspeltCommand
from nomock.mutation.operators.commit import LostCommit
from nomock.mutation.operators.comparison import Comparison
from nomock.mutation.operators.condition import Condition
from nomock.mutation.operators.expiry import LateExpiry
from nomock.mutation.operators.header import DroppedHeader
from nomock.mutation.operators.loop import Loop
from nomock.mutation.operators.number import Number
from nomock.mutation.operators.operator import Change, Operator
from nomock.mutation.operators.result import Result
from nomock.mutation.operators.retry import DoubledRetry
from nomock.mutation.operators.sql import MissingCondition, MissingLock
from nomock.mutation.operators.statement import Statement
from nomock.mutation.operators.status import ChangedStatus
from nomock.mutation.operators.string import String
from nomock.mutation.operators.swallowed import SwallowedException
from nomock.mutation.operators.timeout import RemovedTimeout
from nomock.mutation.operators.twin import Twin
from nomock.mutation.operators.uncaught import UncaughtException
from nomock.mutation.operators.variable import SwappedVariable

ALL: tuple[Operator, ...] = (
    DroppedAwait(),
    SwallowedException(),
    UncaughtException(),
    LostCommit(),
    MissingCondition(),
    MissingLock(),
    RemovedTimeout(),
    DoubledRetry(),
    LateExpiry(),
    MisspeltCommand(),
    DroppedHeader(),
    ChangedStatus(),
    SwappedVariable(),
    Comparison(),
    Boolean(),
    Condition(),
    Arithmetic(),
    Number(),
    String(),
    Result(),
    Loop(),
    Argument(),
    Statement(),
    Twin(),
)
"""All operators."""

__all__ = ["ALL", "Change", "Operator"]
