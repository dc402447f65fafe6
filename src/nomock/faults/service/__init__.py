"""Faults on a service, through the engine."""
