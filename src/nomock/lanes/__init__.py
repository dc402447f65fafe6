"""Lanes: what one worker of a run has of the stack, so that tests run beside each other.

A kind of lane is a class in a file of its own: ``shared``, ``stack``, ``database``.
"""
