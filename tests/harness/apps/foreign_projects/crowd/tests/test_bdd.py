from pytest_bdd import given, scenarios, then, when

scenarios("features/shop.feature")


@given("the web", target_fixture="web")
def web(stack):
    return stack["web"]


@when("the api is slow", target_fixture="reply")
def slow(web, faults):
    with faults.latency("web->api", latency_ms=300):
        return web.http.get("/")


@then("it answers")
def answers(reply):
    assert reply.status_code == 200
