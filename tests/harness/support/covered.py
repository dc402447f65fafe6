"""Tiny services with the spy on: what the overlay says of them."""

from __future__ import annotations

import json
from typing import Any

from places import ROOT
from tiny import Service, Tiny

SPY, DATA = "/nomock-spy", "/nomock-spy-data"


def spied(name: str, **more: Any) -> Service:
    """Return what the overlay says of a service."""
    return {
        "environment": {
            "PYTHONPATH": SPY,
            "NOMOCK_SPY_SERVICE": name,
            "NOMOCK_SPY_OUT": DATA,
            "NOMOCK_SPY_RUN": "${NOMOCK_SPY_RUN:-}",
        },
        "volumes": [
            f"{ROOT / 'coverage-spy'}:{SPY}:ro",
            f"./.nomock/coverage:{DATA}",
        ],
        **more,
    }


def overlay(tiny: Tiny, **services: Service) -> None:
    tiny.write("docker-compose.coverage.yml", json.dumps({"services": services}))
