"""Faults on the database, through its own statements."""
