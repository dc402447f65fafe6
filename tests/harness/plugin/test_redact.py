"""Which secrets are taken out of evidence, and what is left as it is."""

from __future__ import annotations

import json

import pytest

from nomock.evidence.redact import GONE, Redactor

CANARY = "Canary-4f9a1c07e2"


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer {}",
        "authorization=bearer {}",
        "headers={{'Authorization': 'Bearer {}', 'x': '1'}}",
        "Set-Cookie: sid={}; Path=/; HttpOnly",
        "cookie: theme=dark; session={}",
        '{{"password": "{}", "n": 1}}',
        '{{"message": "{{\\"client_secret\\": \\"{}\\"}}"}}',
        "login with password={} failed",
        "DATABASE_PASSWORD={}",
        "client_assertion={}&n=1",
        "assert reply.json()['access_token'] == '{}'",
        "{{'refresh_token': '{}'}}",
        "x-api-key: {}",
        "connecting to postgres://app:{}@postgres:5432/app",
        "GET /callback?id_token={}&state=1",
        "level=info api_key={} msg=started",
    ],
)
def test_a_secret_should_be_gone_when_it_stands_in_text(text: str) -> None:
    redacted = Redactor().text(text.format(CANARY))
    assert CANARY not in redacted
    assert GONE in redacted


@pytest.mark.parametrize(
    "text",
    [
        "ALTER ROLE web PASSWORD '{}'",
        "INSERT INTO users (name, password) VALUES ('alice', E'it\\'s {}')",
        "INSERT INTO users (name, password) VALUES ('it''s {}', 'x')",
        "INSERT INTO keys (api_key) VALUES ($body$it's {}$body$)",
        # The server keeps the beginning of a long one.
        "INSERT INTO tokens (id, token) VALUES ('1', '{}",
        "UPDATE users SET password = '{}'",
        "INSERT INTO users (folder, password) VALUES ('C:\\', '{}')",
        "INSERT INTO users (password) /* it's new */ VALUES ('{}')",
        "INSERT INTO users (password) -- it's new\nVALUES ('{}')",
        "INSERT INTO \"it's\" (password) VALUES ('{}')",
    ],
)
def test_every_value_should_be_gone_when_a_statement_names_a_secret(text: str) -> None:
    redacted = Redactor().sql(text.format(CANARY))
    assert CANARY not in redacted
    assert redacted.startswith(text[:11])
    assert GONE in redacted


def test_a_statement_should_stay_as_it_is_when_it_names_no_secret() -> None:
    text = "SELECT 'it''s', $1 FROM orders WHERE state = 'paid'"
    assert Redactor().sql(text) == text


@pytest.mark.parametrize(
    "secret",
    [
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl",
        "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
        "AKIAIOSFODNN7EXAMPLE",
        "-----BEGIN RSA PRIVATE KEY-----\\nMIIEpAIBAAKCAQEA\\n-----END RSA PRIVATE KEY-----",
    ],
)
def test_a_secret_should_be_gone_when_it_is_known_by_its_shape(secret: str) -> None:
    assert Redactor().text(f"got {secret} back") == f"got {GONE} back"


def test_as_many_lines_should_be_left_when_a_private_key_is_gone() -> None:
    key = "-----BEGIN PRIVATE KEY-----\nMIIE\nAAAA\n-----END PRIVATE KEY-----"
    assert Redactor().text(f"a\n{key}\nb").split("\n") == ["a", GONE, "", "", "", "b"]


@pytest.mark.parametrize(
    "text",
    [
        "bearer authentication failed",
        "KeyError: 'token'",
        "AssertionError: assert 503 == 200",
        "token expired",
        "POST /token status=200 duration_ms=3",
        '{"token_type": "Bearer", "expires_in": 3600}',
        '{"token_endpoint": "http://auth/token", "max_tokens": 100}',
        "the password is missing",
        '{"password": null}',
        "http://web:8000/items?page=2",
    ],
)
def test_a_text_should_stay_as_it_is_when_no_secret_is_in_it(text: str) -> None:
    assert Redactor().text(text) == text


@pytest.mark.parametrize(
    "line",
    [
        "AssertionError: assert 500 == 200",
        "AssertionError: assert {'status': 'error'} == {'status': 'ok'}",
        "E       assert 401 == 200",
        "E        +  where 401 = <Response [401 Unauthorized]>.status_code",
        "assert 'access_token' in {}",
        "assert reply.json()['expires_in'] == 3600",
        "KeyError: 'refresh_token'",
        "TypeError: login() missing 1 required positional argument: 'password'",
        "    def login(self, password: str, token: str | None = None) -> Token:",
        "    token = client.login(user, password=PASSWORD)",
        "    tokens = auth_client.tokens[0]",
        "    secret = secrets[1]",
        "    cookie, token = pair",
        "    assert tokens.access_token == other.access_token",
        "assert session_id == None",
        "tests/test_oauth_flow.py:120: AssertionError",
        "assert len(tokens) == 2",
    ],
)
def test_a_line_of_a_failure_should_stay_as_it_is_when_it_has_only_names(line: str) -> None:
    redactor = Redactor()
    assert redactor.known(redactor.code(line)) == line


def test_a_secret_should_be_gone_when_a_failure_shows_its_value() -> None:
    lines = [
        f"token = '{CANARY}'",
        f"AssertionError: assert {{'access_token': '{CANARY}'}} == {{}}",
        f"headers = {{'Authorization': 'Bearer {CANARY}'}}",
        f'>       assert password == "{CANARY}"',
        f"password={CANARY}",
    ]
    for line in lines:
        assert CANARY not in Redactor().code(line)


def test_secret_fields_should_be_gone_when_a_body_is_json() -> None:
    body = {
        "user": {"name": "alice", "password": CANARY, "tokens": ["kept"]},
        "secrets": {"a": [CANARY, 7], "on": True, "none": None},
        "code": CANARY,
        "error": {"code": 404},
        "token_type": "Bearer",
    }
    redacted = json.loads(Redactor().body(json.dumps(body), "application/json"))
    assert redacted == {
        "user": {"name": "alice", "password": GONE, "tokens": ["kept"]},
        "secrets": {"a": [GONE, GONE], "on": True, "none": None},
        "code": GONE,
        "error": {"code": 404},
        "token_type": "Bearer",
    }


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (f"grant_type=code&client_secret={CANARY}&n=1", "application/x-www-form-urlencoded"),
        (f'--b\r\nContent-Disposition: form-data; name="password"\r\n\r\n{CANARY}\r\n--b--', "m"),
        (f'{{"cut": 1, "password": "{CANARY}", "more', "application/json"),
        (f'data: {{"access_token": "{CANARY}"}}\n\n', "text/event-stream"),
        (f'<input name="csrf_token" value="1">\npassword: {CANARY}', "text/html"),
    ],
    ids=["form", "multipart", "cut JSON", "events", "text"],
)
def test_secret_fields_should_be_gone_when_a_body_is_something_else(
    body: str, content_type: str
) -> None:
    redacted = Redactor().body(body, content_type)
    assert CANARY not in redacted
    assert GONE in redacted


def test_secrets_should_be_gone_when_they_are_parameters_or_the_password_of_a_url() -> None:
    url = f"http://bob:{CANARY}@web:1/a?access_token={CANARY}&page=2#id_token={CANARY}"
    redacted = Redactor().url(url)
    assert redacted == f"http://bob:{GONE}@web:1/a?access_token={GONE}&page=2#id_token={GONE}"


def test_headers_should_keep_their_names_and_schemes_when_their_values_are_secret() -> None:
    headers = [
        ("Authorization", f"Bearer {CANARY}"),
        ("cookie", f"sid={CANARY}"),
        ("X-Api-Key", CANARY),
        ("location", f"/login?code={CANARY}&state=1"),
        ("accept", "*/*"),
    ]
    assert Redactor().headers(headers) == [
        ["Authorization", f"Bearer {GONE}"],
        ["cookie", GONE],
        ["X-Api-Key", GONE],
        ["location", f"/login?code={GONE}&state=1"],
        ["accept", "*/*"],
    ]


@pytest.mark.parametrize(
    "learn",
    [
        lambda r: r.headers([("Authorization", f"Bearer {CANARY}")]),
        lambda r: r.headers([("Authorization", "Basic YWxpY2U6Q2FuYXJ5LTRmOWExYzA3ZTI=")]),
        lambda r: r.headers([("Set-Cookie", f"sid={CANARY}; Path=/")]),
        lambda r: r.body(f'{{"secret": "{CANARY}"}}', "application/json"),
        lambda r: r.body(f"password={CANARY}", "application/x-www-form-urlencoded"),
        lambda r: r.learn_environment({"JWT_SECRET": CANARY}),
        lambda r: r.learn_environment({"DATABASE_URL": f"postgres://app:{CANARY}@db/app"}),
    ],
)
def test_a_value_should_be_gone_everywhere_when_it_stood_in_a_secrets_place_before(learn) -> None:
    redactor = Redactor()
    learn(redactor)
    assert redactor.known(f"checking {CANARY}") == f"checking {GONE}"


def test_a_text_should_be_gone_when_a_pattern_of_the_users_matches_it() -> None:
    assert Redactor([r"CUST-\d{4}"]).text("of CUST-1234, 2") == f"of {GONE}, 2"


def test_a_short_word_should_stay_when_it_is_a_password_too() -> None:
    redactor = Redactor()
    redactor.learn_environment({"POSTGRES_PASSWORD": "postgres", "API_TOKEN": "app"})
    assert redactor.known("the app asks postgres") == "the app asks postgres"
