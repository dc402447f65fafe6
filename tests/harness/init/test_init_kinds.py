"""What a service is, by its image and its command."""

from __future__ import annotations

import pytest

from nomock.init.kinds import is_worker, kind_of_image, server_of


@pytest.mark.parametrize(
    ("image", "kind"),
    [
        ("redis:8", "cache (Redis)"),
        ("registry.example:5000/library/rabbitmq:4-management", "queue (RabbitMQ)"),
        ("bitnami/kafka@sha256:0123", "queue (Kafka)"),
        ("confluentinc/cp-kafka:7", "queue (Kafka)"),
        ("oliver006/redis_exporter", ""),
        ("redis-commander:1", ""),
        ("shop-web", ""),
    ],
)
def test_a_kind_should_be_the_images_when_its_name_tells(image: str, kind: str) -> None:
    assert kind_of_image(image) == kind


@pytest.mark.parametrize(
    ("words", "server"),
    [
        (["python", "-m", "uvicorn", "app:app"], "uvicorn"),
        (["/venv/bin/gunicorn", "app"], "gunicorn"),
        (
            ["sh", "-c", "python manage.py migrate && python manage.py runserver"],
            "Django's runserver",
        ),
        (["celery", "-A", "shop", "worker"], "celery"),
        (["python", "main.py"], ""),
    ],
)
def test_a_server_should_be_known_when_the_command_names_it(words: list[str], server: str) -> None:
    assert server_of(words) == server
    assert is_worker(server) == (server == "celery")
