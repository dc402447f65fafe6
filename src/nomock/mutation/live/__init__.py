"""Mutants in the services of a running stack: switched on, and tried by the tests they concern."""
