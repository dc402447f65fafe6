"""What is promised in writing, held against what is there: OpenAPI documents, and migrations."""

import json
from pathlib import Path
from typing import Any

import pytest
from helpers.oauth import Tenant

from nomock import ContractChecks, Postgres, Stack

# Of each operation, valid ones and as many invalid ones: a few seconds for each service.
EXAMPLES = 4
PUBLISHED = Path(__file__).parent / "openapi" / "auth.json"
MIGRATIONS = Path(__file__).parents[1] / "services" / "migrate" / "migrations"


def test_instances_should_answer_as_documented_when_each_operation_is_asked(
    contracts: ContractChecks, tenant: Tenant
) -> None:
    report = contracts.openapi("instances", headers=tenant.headers, examples=EXAMPLES)
    assert [operation.name for operation in report.operations] == [
        "GET /health",
        "POST /instances",
        "GET /instances",
        "GET /instances/{instance_id}",
        "DELETE /instances/{instance_id}",
    ]


def test_billing_should_answer_as_documented_when_each_operation_is_asked(
    contracts: ContractChecks, tenant: Tenant
) -> None:
    headers = {"Authorization": f"Bearer {tenant.new_token(resource='billing')}"}
    report = contracts.openapi("billing", headers=headers, examples=EXAMPLES)
    assert "POST /subscriptions" in [operation.name for operation in report.operations]


def test_auth_should_answer_as_documented_when_each_operation_is_asked(
    contracts: ContractChecks, postgres: Postgres
) -> None:
    with postgres.snapshot() as snapshot:
        try:
            report = contracts.openapi("auth", examples=EXAMPLES)
        finally:
            snapshot.restore()  # users and clients of made-up names
    assert "POST /token" in [operation.name for operation in report.operations]


def test_document_of_auth_should_be_as_published_when_it_is_read(stack: Stack) -> None:
    # Clients are generated from it: whoever changes it changes the file, too, and sees what breaks.
    assert stack["auth"].http.get("/openapi.json").json() == json.loads(PUBLISHED.read_text())


@pytest.mark.parametrize("service", ["billing", "instances"])
def test_document_should_say_how_a_request_is_refused_when_it_is_read(
    stack: Stack, service: str
) -> None:
    said = stack[service].http.get("/openapi.json").json()
    assert said["info"]["title"] == service
    assert not [path for path in said["paths"] if path.startswith("/ui")]  # a page for people
    problem = {
        "type": "object",
        "required": ["type", "title", "status", "detail", "code"],
        "properties": {
            "type": {"type": "string", "format": "uri"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "code": {"type": "string"},
        },
    }
    content = {"application/problem+json": {"schema": problem}}
    for path in said["paths"].values():
        for operation in path.values():
            told = operation["responses"]
            assert told["4XX"] == {"description": "The request is refused", "content": content}
            away = {"description": "Something that it needs is away", "content": content}
            assert told["503"] == away


def test_database_should_be_what_its_migrations_make_when_tests_have_used_it(
    contracts: ContractChecks,
) -> None:
    def migrate(connection: Any) -> None:
        for path in sorted(MIGRATIONS.glob("*.sql")):
            connection.execute(path.read_bytes())

    # What is applied is written down by the service itself.
    contracts.drift(migrate, ignore=["public.schema_migrations"])
