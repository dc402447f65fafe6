"""Faults: break the network and the services on purpose, prove that it bit, and heal."""
