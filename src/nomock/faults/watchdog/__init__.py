"""The watchdog: what breaks, counts and guards inside a service's network namespace."""

from nomock.faults.watchdog.client import Count, Undo, Watchdog, until_left_are_undone

__all__ = ["Count", "Undo", "Watchdog", "until_left_are_undone"]
