"""Where things are in this repository."""

from pathlib import Path

HARNESS = Path(__file__).parents[1]
ROOT = HARNESS.parents[1]
APPS = HARNESS / "apps"
"""What runs in the containers of the tests."""
