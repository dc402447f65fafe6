"""Faults on an edge, through Toxiproxy."""
