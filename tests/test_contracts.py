"""What is promised in writing, held against what is there: OpenAPI documents, and migrations."""

from pathlib import Path
from typing import Any

from helpers.oauth import Tenant

from nomock import ContractChecks, Postgres

# Of each operation, valid ones and as many invalid ones: a few seconds for each service.
EXAMPLES = 4
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


def test_database_should_be_what_its_migrations_make_when_tests_have_used_it(
    contracts: ContractChecks,
) -> None:
    def migrate(connection: Any) -> None:
        for path in sorted(MIGRATIONS.glob("*.sql")):
            connection.execute(path.read_bytes())

    # What is applied is written down by the service itself.
    contracts.drift(migrate, ignore=["public.schema_migrations"])
