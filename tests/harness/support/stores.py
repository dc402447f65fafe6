"""The stores of tiny projects."""

from __future__ import annotations

from tiny import Service, settled_image

SLOTS = 20
POSTGRES: Service = {
    "image": settled_image("POSTGRES_IMAGE", "nomock/postgres:17"),
    "command": ["postgres", "-c", f"max_connections={SLOTS}", "-c", "fsync=off"],
    "environment": {"POSTGRES_PASSWORD": "secret"},
    "ports": ["127.0.0.1::5432"],
    "stop_signal": "SIGKILL",
    "tmpfs": ["/var/lib/postgresql/data"],
    "healthcheck": {
        "test": ["CMD", "pg_isready", "-h", "127.0.0.1", "-U", "postgres"],
        # It would take a slot for a moment.
        "interval": "1h",
        "start_period": "180s",
        "start_interval": "200ms",
    },
}
