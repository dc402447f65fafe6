"""How tests ended, by git tree: ``.nomock/results.sqlite``, and what it tells of flaky ones."""

from nomock.quality.results.book import ResultsBook, path_of
from nomock.quality.results.rows import Ended, Result, RunFacts, RunTimes
from nomock.quality.results.same_files import flakiness

__all__ = ["Ended", "Result", "ResultsBook", "RunFacts", "RunTimes", "flakiness", "path_of"]
