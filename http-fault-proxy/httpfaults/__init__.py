"""Faults of HTTP between two services: a proxy that passes bytes on until a rule says otherwise."""
