"""What becomes of each key of a compose file: one table, and who walks along it."""

from nomock.sandbox.render.keys.table import TABLE
from nomock.sandbox.render.keys.walk import lines_of

__all__ = ["TABLE", "lines_of"]
