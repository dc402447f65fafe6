"""As whom the database is entered, by what its image was told."""

from __future__ import annotations

import pytest

from nomock.stack.credentials import Credentials, credentials_of, port_of

FILES = {"/run/secrets/password": "correct horse\n\n", "/run/user": "clerk", "/run/db": "shop\n"}


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, ("postgres", "", "postgres")),
        ({"POSTGRES_USER": "", "POSTGRES_PASSWORD": "x"}, ("postgres", "x", "postgres")),
        ({"POSTGRES_USER": "me", "POSTGRES_HOST_AUTH_METHOD": "trust"}, ("me", "", "me")),
        (
            {"POSTGRES_USER": "me", "POSTGRES_PASSWORD_FILE": "/run/secrets/password"},
            ("me", "correct horse", "me"),
        ),
        (
            {"POSTGRES_USER_FILE": "/run/user", "POSTGRES_PASSWORD": " a'b\\$c "},
            ("clerk", " a'b\\$c ", "clerk"),
        ),
        ({"POSTGRES_USER": "me", "POSTGRES_DB_FILE": "/run/db"}, ("me", "", "shop")),
        ({"POSTGRESQL_PASSWORD": "x"}, ("postgres", "x", "postgres")),
        (
            {"POSTGRESQL_USERNAME": "app", "POSTGRESQL_PASSWORD": "x", "POSTGRESQL_DATABASE": "d"},
            ("app", "x", "d"),
        ),
        ({"POSTGRESQL_USERNAME": "app", "POSTGRESQL_PASSWORD": "x"}, ("app", "x", "postgres")),
        (
            {
                "POSTGRESQL_USERNAME": "app",
                "POSTGRESQL_PASSWORD": "x",
                "POSTGRESQL_POSTGRES_PASSWORD_FILE": "/run/secrets/password",
                "POSTGRESQL_DATABASE": "d",
            },
            ("postgres", "correct horse", "d"),
        ),
    ],
    ids=[
        "nothing",
        "an empty user",
        "trust",
        "a secret",
        "a user's file",
        "a database's file",
        "Bitnami's defaults",
        "Bitnami",
        "Bitnami without a database",
        "Bitnami's superuser",
    ],
)
def test_the_superuser_should_be_who_the_image_makes_it_when_its_environment_is_read(
    environment: dict[str, str], expected: tuple[str, str, str]
) -> None:
    assert credentials_of(environment, FILES.__getitem__) == Credentials(*expected)


@pytest.mark.parametrize(
    ("environment", "port"),
    [({}, 5432), ({"PGPORT": "5433"}, 5433), ({"PGPORT": "5433/x"}, 5432), ({"PGPORT": ""}, 5432)],
)
def test_the_port_should_be_another_only_when_the_environment_names_one(
    environment: dict[str, str], port: int
) -> None:
    assert port_of(environment) == port
