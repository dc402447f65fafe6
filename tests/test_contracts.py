"""What the services promise in writing, held against what they do: their OpenAPI documents."""

from helpers.oauth import Tenant

from nomock import ContractChecks

# Of each operation, valid ones and as many invalid ones: a few seconds for each service.
EXAMPLES = 4


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
