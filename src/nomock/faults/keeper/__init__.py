"""The keeper: what breaks, counts and guards inside a service's network namespace."""

from nomock.faults.keeper.client import Count, Keeper, Undo, until_left_are_undone

__all__ = ["Count", "Keeper", "Undo", "until_left_are_undone"]
