"""Defects that are put into the services one by one, to see who notices: `just test-defects`.

Each is a patch in this folder. Two suites are run on it: the reference suite on a real stack, and
its twin, which mocks all that is not Python (docs/mocks).
"""
