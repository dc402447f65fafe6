"""The customer's journey: from an account to an instance that is used, paid for and given back."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from helpers.billing import Customer, Provider
from helpers.eventually import eventually
from helpers.oauth import User
from helpers.orders import Orders, resources, rows
from helpers.waits import CLIENT_S, Waits

from nomock import Faults, Postgres, Stack

if TYPE_CHECKING:
    from playwright.sync_api import Page

Name = Callable[[], str]

# The names that the services have for each other: a browser of nomock's finds them by these, too.
PAGE_URL = "http://instances:8000/ui"
# By tables that have the tenant's id: what is left of one that was deleted.
LEFT = """
    SELECT table_schema || '.' || table_name FROM information_schema.columns
    WHERE column_name = 'tenant_id' AND table_schema IN ('auth', 'instances', 'billing')
"""


@pytest.fixture
def page(browser_page: "Page") -> "Page":
    """Return a browser's page that waits as long for anything as other clients do."""
    browser_page.set_default_timeout(1000 * CLIENT_S)
    return browser_page


def log_in(page: "Page", user: User, password: str | None = None) -> None:
    """Open the page of one's instances, and fill in the login that it leads to."""
    page.goto(PAGE_URL)
    page.get_by_label("User name").fill(user.username)
    page.get_by_label("Password").fill(password or user.password)
    page.get_by_role("button", name="Allow").click()
    # The request that it led to, and the code on the way back, are in the addresses before.
    page.wait_for_url(re.compile(r"^[^?]*$"))


def row_of(page: "Page", name: str) -> str:
    """Return what the page says of an instance, after looking again."""
    page.get_by_role("link", name="Look again").click()
    return page.get_by_role("row", name=name).inner_text()


def shows(page: "Page", name: str, state: str, within_s: float) -> None:
    """Wait until the page says that an instance has a state."""
    eventually(
        lambda: state in row_of(page, name).split("\t"),
        within_s=within_s,
        reason=f"the page should say that {name} is {state}",
    )


def test_journey_should_leave_nothing_when_a_customer_pays_uses_an_instance_and_gives_it_back(
    customer: Customer,
    provider: Provider,
    page: "Page",
    postgres: Postgres,
    unique_name: Name,
    waits: Waits,
) -> None:
    # An account, a plan, and the provider says that it is paid: twice, and the first try's failure
    # after that.
    name, event_id = unique_name(), unique_name()
    subscription = customer.subscribe(name, "medium")
    paid = customer.event("payment.succeeded", subscription, 2)
    assert provider.tell(paid, event_id=event_id) == "booked"
    assert provider.tell(paid, event_id=event_id) == "duplicate"
    assert provider.tell(customer.event("payment.failed", subscription, 1)) == "booked"
    instance_id = customer.provisioned(subscription["id"])["instance_id"]

    # The page, after a login in the same browser.
    log_in(page, customer.tenant.user)
    assert page.url == PAGE_URL
    shows(page, name, "running", waits.done_s)
    assert resources(postgres, instance_id) == 1

    # What it costs.
    assert customer.subscription(subscription["id"])["state"] == "active"
    assert customer.invoices() == ([1900], {"EUR": 1900})

    # Given back by a button; the provider is told elsewhere, and says so.
    page.get_by_role("button", name=f"Give back {name}").click()
    shows(page, name, "deprovisioned", waits.done_s)
    assert page.get_by_role("button", name="Give back").count() == 0
    assert provider.tell(customer.event("subscription.cancelled", subscription, 3)) == "booked"
    assert customer.subscription(subscription["id"])["state"] == "cancelled"

    # Nothing that costs anything is left, and nothing of the tenant once that is gone.
    assert resources(postgres, instance_id) == 0
    customer.until_all_is_done()
    tenant_id = customer.tenant.tenant_id
    with postgres.connect() as conn:
        conn.execute("DELETE FROM auth.tenants WHERE tenant_id = %s", [tenant_id])
    tables = [table for (table,) in rows(postgres, LEFT)]
    assert len(tables) >= 8
    left = {
        table: rows(postgres, f"SELECT count(*) FROM {table} WHERE tenant_id = %s", tenant_id)
        for table in tables
    }
    assert left == {table: [(0,)] for table in tables}


def test_page_should_send_back_to_the_login_when_the_password_is_wrong(
    orders: Orders, page: "Page"
) -> None:
    log_in(page, orders.tenant.user, "another password")
    assert page.get_by_role("alert").inner_text() == "Wrong user name or password."
    assert page.url == "http://auth:8000/authorize"


def test_page_should_show_a_name_as_text_when_it_looks_like_a_script(
    orders: Orders, page: "Page"
) -> None:
    name = f"<script>document.title = 'gone'</script> & {uuid4().hex[:8]} \"quoted\""
    orders.placed(name)
    log_in(page, orders.tenant.user)
    assert page.get_by_role("rowheader").all_inner_texts() == [name]
    assert page.title() == "Instances"


def test_page_should_say_that_there_are_none_when_a_tenant_has_no_instances(
    orders: Orders, page: "Page"
) -> None:
    log_in(page, orders.tenant.user)
    assert page.get_by_text("You have no instances.").is_visible()


@pytest.mark.parametrize(
    ("origin", "status"),
    [("http://instances:8000", 303), ("http://evil.example", 403), (None, 403)],
)
def test_instance_should_be_given_back_when_the_form_is_the_pages_own_alone(
    stack: Stack,
    orders: Orders,
    unique_name: Name,
    origin: str | None,
    status: int,
) -> None:
    ordered = orders.placed(unique_name())
    cookie = f"token={orders.tenant.token}"
    headers = {"Cookie": cookie, "Host": "instances:8000"}
    headers |= {} if origin is None else {"Origin": origin}
    path = f"/ui/instances/{ordered['id']}/give-back"
    reply = stack["instances"].http.post(path, headers=headers)
    assert reply.status_code == status
    is_going = orders.get(ordered["id"]).json()["state"] in ("deprovisioning", "deprovisioned")
    assert is_going == (status == 303)


def test_login_should_be_refused_when_it_was_not_begun_in_this_browser(
    stack: Stack, orders: Orders
) -> None:
    asked = {"code": "stolen", "state": "of another", "iss": "http://auth:8000"}
    for headers in ({}, {"Cookie": "login=mine.verifier"}):
        reply = stack["instances"].http.get("/ui/callback", params=asked, headers=headers)
        assert (reply.status_code, reply.json()["code"]) == (400, "login_failed")


def test_request_of_a_browser_should_meet_the_fault_when_it_is_this_tests(
    faults: Faults, orders: Orders, page: "Page"
) -> None:
    log_in(page, orders.tenant.user)
    # An HTTP fault meets the requests of its own test alone: by their baggage.
    with faults.http_status("instances->auth", 503, path="/introspect"):
        shown = page.goto(PAGE_URL)
        assert shown is not None
        assert shown.status == 503
    assert page.goto(PAGE_URL).status == 200  # type: ignore[union-attr]
