"""Faults: break the network and the services on purpose, prove their effect, and heal them."""
