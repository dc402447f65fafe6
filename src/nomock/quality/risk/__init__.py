"""What to test next: modules that much depends on, that are complex, that change."""

from nomock.quality.risk.assessing import Depth, Module, Risks, assess
from nomock.quality.risk.gathering import risks_of

__all__ = ["Depth", "Module", "Risks", "assess", "risks_of"]
