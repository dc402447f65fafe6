"""Faults on the packets of a service, from a container in its network namespace."""
