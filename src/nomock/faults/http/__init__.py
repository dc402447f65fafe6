"""Faults on the HTTP requests of an edge."""
