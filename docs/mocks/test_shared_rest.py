"""What the services share beside HTTP and tokens: the database, waits, settings, logs."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock, MagicMock

import psycopg
import pytest
from shared import baggage, connecting, database, health, logs, middleware, settings, severing
from shared.errors import Unavailable
from shared.waits import CallWaits, DatabaseWaits, TokenWaits, whole_ms, whole_s

WAITS = DatabaseWaits(4.5, 0.4, 0.1, 0.25)


# The database


class FakePool:
    """Hands out one connection, or fails."""

    waits = WAITS

    def __init__(self, conn: Any, error: Exception | None = None) -> None:
        self.conn = conn
        self.error = error

    @asynccontextmanager
    async def connection(self) -> Any:
        if self.error:
            raise self.error
        yield self.conn


@pytest.fixture
def conn() -> MagicMock:
    conn = MagicMock(closed=False)
    conn.transaction.return_value = AsyncMock()
    conn.transaction.return_value.__aexit__.return_value = False
    return conn


async def test_connection_should_be_in_a_transaction_when_it_is_handed_out(
    conn: MagicMock,
) -> None:
    async with database.connection(FakePool(conn)) as handed:  # type: ignore[arg-type]
        assert handed is conn
        conn.transaction.return_value.__aenter__.assert_awaited_once()
    conn.transaction.return_value.__aexit__.assert_awaited_once()


@pytest.mark.parametrize(
    "error",
    [
        psycopg.OperationalError("refused"),
        psycopg.InterfaceError("closed"),
        psycopg.errors.IdleInTransactionSessionTimeout("idle"),
        psycopg.errors.QueryCanceled("slow"),
        psycopg.errors.LockNotAvailable("locked"),
    ],
)
async def test_database_should_be_unavailable_when_it_is_lost(
    conn: MagicMock, error: Exception
) -> None:
    with pytest.raises(Unavailable, match="the database"):
        async with database.connection(FakePool(conn, error)):  # type: ignore[arg-type]
            raise AssertionError


async def test_error_should_pass_when_the_statement_caused_it(conn: MagicMock) -> None:
    with pytest.raises(psycopg.errors.UniqueViolation):
        async with database.connection(FakePool(conn)):  # type: ignore[arg-type]
            raise psycopg.errors.UniqueViolation("twice")


async def test_connection_should_be_severed_when_its_transaction_takes_too_long(
    conn: MagicMock, mocker: Any
) -> None:
    severed = asyncio.Event()
    mocker.patch("shared.database.sever", side_effect=lambda _: severed.set())
    with database._severed_after(conn, 0.01):
        await asyncio.wait_for(severed.wait(), 5)


async def test_connection_should_not_be_severed_when_it_is_in_time(
    conn: MagicMock, mocker: Any
) -> None:
    loop = mocker.patch("shared.database.asyncio.get_running_loop").return_value
    async with database.connection(FakePool(conn)):  # type: ignore[arg-type]
        assert loop.call_later.call_args.args == (4.5, severing.sever, conn)
    loop.call_later.return_value.cancel.assert_called_once()


async def test_pool_should_have_options_and_no_tries_of_its_own_when_it_is_made() -> None:
    made = database.pool("postgresql://localhost/none", WAITS, max_size=7, options="-c a=b")
    assert made.max_size == 7
    assert made.timeout == pytest.approx(1.8)
    assert made.reconnect_timeout == 0
    options = made.kwargs["options"]
    assert "client_connection_check_interval=250" in options
    assert "idle_in_transaction_session_timeout=5625" in options
    assert options.endswith("-c a=b")
    assert made.kwargs["connect_timeout"] == 5


async def others_end() -> None:
    """Wait until what was begun beside the test is over."""
    await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}))


async def test_pool_should_try_again_when_somebody_waits(mocker: Any) -> None:
    mocker.patch("shared.database.asyncio.sleep", new=AsyncMock())
    made = database.pool("postgresql://localhost/none", WAITS)
    mocker.patch.object(made, "get_stats", return_value={"requests_waiting": 1})
    asked = mocker.patch.object(made, "getconn", side_effect=psycopg.OperationalError("refused"))
    made._reconnect_failed(made)
    await asyncio.gather(
        *(task for task in asyncio.all_tasks() if task is not asyncio.current_task())
    )
    asked.assert_awaited_once()


async def test_pool_should_not_try_again_when_nobody_waits(mocker: Any) -> None:
    mocker.patch("shared.database.asyncio.sleep", new=AsyncMock())
    made = database.pool("postgresql://localhost/none", WAITS)
    mocker.patch.object(made, "get_stats", return_value={"requests_waiting": 0})
    asked = mocker.patch.object(made, "getconn")
    made._reconnect_failed(made)
    await asyncio.gather(
        *(task for task in asyncio.all_tasks() if task is not asyncio.current_task())
    )
    asked.assert_not_called()


async def test_pool_should_be_drained_when_a_connection_has_died(mocker: Any) -> None:
    made = database.pool("postgresql://localhost/none", WAITS)
    mocker.patch.object(
        database.AsyncConnectionPool, "check_connection", side_effect=psycopg.OperationalError
    )
    drained = mocker.patch.object(made, "drain")
    with pytest.raises(psycopg.OperationalError):
        await made._check(MagicMock(closed=True))
    drained.assert_awaited_once()


async def test_traceback_should_not_hold_the_connection_when_connecting_fails(mocker: Any) -> None:
    error = psycopg.OperationalError("refused")
    mocker.patch("psycopg.AsyncConnection.connect", side_effect=error)
    with pytest.raises(psycopg.OperationalError) as raised:
        await connecting.AsyncConnection.connect("x")
    assert raised.value.__cause__ is None
    mocker.patch("psycopg.connect", side_effect=error)
    with pytest.raises(psycopg.OperationalError):
        connecting.connect("x")


def test_socket_should_be_shut_when_a_connection_is_severed() -> None:
    ours, theirs = socket.socketpair()
    severing.sever(SimpleNamespace(closed=False, fileno=ours.fileno))  # type: ignore[arg-type]
    assert theirs.recv(1) == b""
    severing.sever(SimpleNamespace(closed=True, fileno=ours.fileno))  # type: ignore[arg-type]
    ours.close()
    theirs.close()


# Waits and settings


def test_waits_should_keep_their_order_when_they_are_computed() -> None:
    assert WAITS.check_s < WAITS.connection_s < WAITS.lock_s < WAITS.statement_s
    assert WAITS.statement_s < WAITS.transaction_s < WAITS.idle_s
    assert WAITS.connect_s == 5
    assert WAITS.close_s < 1
    assert (whole_s(1.2), whole_ms(0.0001), whole_ms(1.5)) == (2, 1, 1500)


def test_waits_should_be_read_when_the_environment_has_them() -> None:
    assert DatabaseWaits.from_environment(0.4) == WAITS
    calls = CallWaits.from_environment("AUTH_TIMEOUT_S")
    assert (calls.try_s, calls.patience_s, calls.idle_s) == (2.5, 5.0, 2.0)
    assert TokenWaits.from_environment() == TokenWaits(5, 1)


def test_start_should_be_stopped_when_a_try_is_too_short(monkeypatch: Any) -> None:
    monkeypatch.setenv("AUTH_TIMEOUT_S", "1")
    with pytest.raises(settings.SettingError, match=r"more than 2\.25, half of DATABASE_S"):
        CallWaits.from_environment("AUTH_TIMEOUT_S")


@pytest.mark.parametrize("value", ["", "soon", "0", "-1", "inf", "nan"])
def test_start_should_be_stopped_when_a_time_is_none(monkeypatch: Any, value: str) -> None:
    monkeypatch.setenv("JOB_S", value)
    with pytest.raises(settings.SettingError, match="JOB_S"):
        settings.seconds("JOB_S")


def test_setting_should_be_missing_when_it_has_no_default(monkeypatch: Any) -> None:
    monkeypatch.delenv("NOT_THERE", raising=False)
    assert settings.text("NOT_THERE", "x") == "x"
    assert settings.number("NOT_THERE", 3) == 3
    with pytest.raises(settings.MissingSettingError, match="NOT_THERE"):
        settings.text("NOT_THERE")


# Health, baggage, logs


@pytest.mark.parametrize(
    ("answer", "well"),
    [(b"HTTP/1.0 200 OK\r\n", True), (b"HTTP/1.0 500 x\r\n", False), (b"", False)],
)
def test_service_should_be_healthy_when_it_answers_200(
    mocker: Any, answer: bytes, well: bool
) -> None:
    sock = mocker.patch("shared.health.socket.create_connection").return_value.__enter__()
    sock.makefile.return_value.readline.return_value = answer
    assert health.healthy(8000) is well
    mocker.patch("shared.health.socket.create_connection", side_effect=OSError)
    assert health.healthy(8000) is False


def test_value_should_be_decoded_when_the_baggage_has_it() -> None:
    token = baggage.current.set("a=1, nomock.test=x%20y;p=1 ,b")
    assert baggage.value("nomock.test") == "x y"
    assert baggage.value("a") == "1"
    assert baggage.value("c") is None
    baggage.current.reset(token)
    baggage.begin_job("a=2")
    assert baggage.value("a") == "2"
    baggage.begin_job("")


def test_line_should_be_json_with_the_test_when_something_is_logged() -> None:
    baggage.current.set("nomock.test=a%20test")
    record = logging.LogRecord("auth", logging.WARNING, "f", 1, "said %s", ("this",), None)
    record.what = "redis"
    told = json.loads(logs.JsonFormatter("auth").format(record))
    baggage.current.set("")
    assert (told["message"], told["level"], told["service"]) == ("said this", "warning", "auth")
    assert (told["what"], told["nomock.test"]) == ("redis", "a test")
    assert "T" in told["time"]
    try:
        raise RuntimeError("boom")
    except RuntimeError:
        import sys

        record.exc_info = sys.exc_info()
    assert "boom" in json.loads(logs.JsonFormatter("auth").format(record))["exception"]


async def test_request_should_be_logged_with_its_status_when_it_ends(caplog: Any) -> None:
    seen: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(baggage.current.get())
        await send({"type": "http.response.start", "status": 418})

    scope = {"type": "http", "method": "GET", "path": "/x", "headers": [(b"baggage", b"a=1")]}
    with caplog.at_level(logging.INFO):
        await middleware.RequestLog(app)(scope, AsyncMock(), AsyncMock())
        await middleware.RequestLog(app)({**scope, "path": "/health"}, AsyncMock(), AsyncMock())
        await middleware.RequestLog(app)({"type": "lifespan"}, AsyncMock(), AsyncMock())
    lines = [record for record in caplog.records if record.name == "requests"]
    assert [(line.path, line.status) for line in lines] == [("/x", 418)]
    assert seen[0] == "a=1"
