"""What a service is, as far as its image and its command tell."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

# The last part of an image's name -> what runs in it.
_BY_IMAGE = {
    "mysql": "database (MySQL)",
    "mariadb": "database (MariaDB)",
    "mongo": "database (MongoDB)",
    "clickhouse": "database (ClickHouse)",
    "cassandra": "database (Cassandra)",
    "cockroach": "database (CockroachDB)",
    "mssql": "database (SQL Server)",
    "redis": "cache (Redis)",
    "redismod": "cache (Redis)",
    "valkey": "cache (Valkey)",
    "keydb": "cache (KeyDB)",
    "memcached": "cache (memcached)",
    "rabbitmq": "queue (RabbitMQ)",
    "kafka": "queue (Kafka)",
    "redpanda": "queue (Redpanda)",
    "nats": "queue (NATS)",
    "activemq": "queue (ActiveMQ)",
    "mosquitto": "queue (MQTT)",
    "emqx": "queue (MQTT)",
    "elasticsearch": "search (Elasticsearch)",
    "opensearch": "search (OpenSearch)",
    "meilisearch": "search (Meilisearch)",
    "solr": "search (Solr)",
    "minio": "objects (MinIO)",
    "mailpit": "mail (Mailpit)",
    "mailhog": "mail (MailHog)",
    "toxiproxy": "equipment (Toxiproxy)",
}
_BESIDE = re.compile(r"exporter|backup|bouncer|admin|commander|express|ui\b|dashboard")

_SERVERS = {
    "uvicorn",
    "gunicorn",
    "hypercorn",
    "daphne",
    "granian",
    "waitress-serve",
    "uwsgi",
    "flask",
    "fastapi",
    "streamlit",
}
_WORKERS = {"celery", "rq", "dramatiq", "arq", "huey_consumer", "huey_consumer.py", "faststream"}
_SEPARATES = re.compile(r"[\s;&|()'\"]+")


def kind_of_image(image: str) -> str:
    """Return what runs in an image by its name; empty where that tells nothing.

    >>> kind_of_image("docker.io/library/redis:8"), kind_of_image("me/web")
    ('cache (Redis)', '')
    """
    name = image.rpartition("/")[2].partition("@")[0].partition(":")[0].lower()
    if _BESIDE.search(name):
        return ""
    parts = re.split(r"[-_.]", name)
    return next((kind for key, kind in _BY_IMAGE.items() if key in parts), "")


def server_of(words: Sequence[str]) -> str:
    """Return which server or worker a command line starts, empty where it starts none known.

    >>> server_of(["sh", "-c", "sleep 1 && exec gunicorn app:app"])
    'gunicorn'
    """
    text = [part for word in words for part in _SEPARATES.split(word)]
    names = [PurePosixPath(part).name for part in text if part]
    if "runserver" in names:
        return "Django's runserver"
    return next((name for name in names if name in _SERVERS | _WORKERS), "")


def is_worker(server: str) -> bool:
    """Tell whether what a command line starts takes jobs from a queue."""
    return server in _WORKERS
