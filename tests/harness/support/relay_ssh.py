"""A program in the place of ssh."""

# What ssh would do on the other machine, which is this one.
SSH = """#!/bin/sh
unset DOCKER_HOST
while [ "$1" != docker ]; do shift; done
exec "$@"
"""
