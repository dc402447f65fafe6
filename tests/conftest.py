"""Fixtures of the reference suite; what they make is named "TEST ..." and goes with the test."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from helpers.billing import customer, make_customer, provider  # noqa: F401 - fixtures
from helpers.cluster import cluster, dedicated  # noqa: F401 - fixtures
from helpers.mcp import connect_agent, mcp_client, mcp_token  # noqa: F401 - fixtures
from helpers.oauth import PASSWORD, AuthClient, Tenant, User
from helpers.orders import make_orders, orders  # noqa: F401 - fixtures
from helpers.waits import waits  # noqa: F401 - fixture

from nomock import Postgres, Stack, WorkerLane


@pytest.fixture
def unique_name(lane: WorkerLane) -> Callable[[], str]:
    """Return names that say which test made the data and that no other test has."""
    return lane.name


@pytest.fixture
def undo() -> Iterator[ExitStack]:
    """Take what must be undone, run in reverse when the test is over, also past a failing one."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def make_client(
    stack: Stack, postgres: Postgres, unique_name: Callable[[], str], undo: ExitStack
) -> Callable[..., AuthClient]:
    """Return a function that registers a client; its arguments are RFC 7591 metadata."""

    def make(**metadata: Any) -> AuthClient:
        name = metadata.pop("client_name", None) or unique_name()
        client = AuthClient.register(stack["auth"], name, **metadata)
        undo.callback(_delete, postgres, "clients", "client_id", client.client_id)
        return client

    return make


@pytest.fixture
def auth_client(make_client: Callable[..., AuthClient]) -> AuthClient:
    """Return a public client with the grants authorization_code and refresh_token."""
    return make_client()


@pytest.fixture
def confidential_client(make_client: Callable[..., AuthClient]) -> AuthClient:
    """Return a client with a secret, which may introspect its own tokens."""
    return make_client(token_endpoint_auth_method="client_secret_basic")


@pytest.fixture
def make_user(
    stack: Stack, postgres: Postgres, unique_name: Callable[[], str], undo: ExitStack
) -> Callable[..., User]:
    """Return a function that signs a user up, in a tenant of its own unless one is named."""

    def make(*, tenant: str | None = None, tier: str = "free") -> User:
        name = unique_name()
        asked = {"username": name, "password": PASSWORD, "tenant": tenant or name, "tier": tier}
        undo.callback(_delete, postgres, "tenants", "name", asked["tenant"])
        reply = stack["auth"].http.post("/users", json=asked)
        assert reply.status_code == 201, reply.text
        return User(username=name, **reply.json())

    return make


@pytest.fixture
def user(make_user: Callable[..., User]) -> User:
    """Return a user in a tenant of the tier free."""
    return make_user()


@pytest.fixture
def make_tenant(auth_client: AuthClient, make_user: Callable[..., User]) -> Callable[..., Tenant]:
    """Return a function that makes a tenant with a user and a token for `instances`."""

    def make(*, tier: str = "free", **changes: str | None) -> Tenant:
        user = make_user(tier=tier)
        token = auth_client.tokens(user, **changes)["access_token"]
        return Tenant(user.username, tier, user, auth_client, token)

    return make


@pytest.fixture
def tenant(make_tenant: Callable[..., Tenant]) -> Tenant:
    """Return a tenant of the tier free, with a user and a token for `instances`."""
    return make_tenant()


def _delete(postgres: Postgres, table: str, column: str, value: str) -> None:
    # Not through the service: a test may have stopped it, or deleted the row itself.
    with postgres.connect() as conn:
        conn.execute(f"DELETE FROM auth.{table} WHERE {column} = %s", [value])
