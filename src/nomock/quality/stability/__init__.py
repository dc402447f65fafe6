"""Which tests are flaky, how often, and what was different when they failed."""

from nomock.quality.stability.differences import Difference
from nomock.quality.stability.flaky import Flaky, Stability, stability_of

__all__ = ["Difference", "Flaky", "Stability", "stability_of"]
