"""Each way of calling a service: what it sends, and nothing but it."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import closing
from typing import NamedTuple
from urllib.parse import urlsplit

import aiohttp
import httpx
import requests
import urllib3


class Request(NamedTuple):
    """What is to be sent: to a URL, with headers, and a body in parts if there are any."""

    url: str
    headers: list[tuple[str, str]]
    parts: tuple[bytes, ...] = ()
    proxy: str = ""

    @property
    def method(self) -> str:
        return "POST" if self.parts else "GET"

    async def later(self) -> AsyncIterator[bytes]:
        for part in self.parts:
            yield part


def _connection(request: Request) -> tuple[http.client.HTTPConnection, str]:
    split = urlsplit(request.url)
    address = urlsplit(request.proxy) if request.proxy else split
    connection = http.client.HTTPConnection(address.netloc, timeout=30)
    if request.proxy and split.scheme == "https":
        connection.set_tunnel(split.netloc)
    return connection, request.url if request.proxy and split.scheme == "http" else split.path


def by_http_client(request: Request) -> bytes:
    connection, path = _connection(request)
    with closing(connection):
        connection.request(request.method, path, iter(request.parts) or None, dict(request.headers))
        return connection.getresponse().read()


def by_putrequest(request: Request) -> bytes:
    connection, path = _connection(request)
    with closing(connection):
        connection.putrequest(request.method, path)
        for name, value in request.headers:
            connection.putheader(name, value)
        body = b"".join(request.parts)
        connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        return connection.getresponse().read()


def by_urllib(request: Request) -> bytes:
    proxies = {"http": request.proxy, "https": request.proxy} if request.proxy else {}
    opener = urllib.request.build_opener(urllib.request.ProxyHandler(proxies))
    body = b"".join(request.parts) or None
    with opener.open(urllib.request.Request(request.url, body, dict(request.headers))) as response:
        return response.read()


_pool = urllib3.PoolManager(maxsize=50)


def by_urllib3(request: Request) -> bytes:
    pool = urllib3.ProxyManager(request.proxy, retries=False) if request.proxy else _pool
    headers = urllib3.HTTPHeaderDict(request.headers)
    body = request.parts or None
    return pool.request(request.method, request.url, body=body, headers=headers).data


_session = requests.Session()
_session.trust_env = False


def by_requests(request: Request) -> bytes:
    proxies = {"http": request.proxy, "https": request.proxy} if request.proxy else {}
    body = iter(request.parts) if request.parts else None
    prepared = _session.prepare_request(
        requests.Request(request.method, request.url, dict(request.headers), data=body)
    )
    return _session.send(prepared, proxies=proxies).content


_client = httpx.Client(trust_env=False, follow_redirects=True)


def by_httpx(request: Request) -> bytes:
    client = httpx.Client(proxy=request.proxy, trust_env=False) if request.proxy else _client
    body = iter(request.parts) if request.parts else None
    return client.request(
        request.method, request.url, headers=request.headers, content=body
    ).content


_async_client = httpx.AsyncClient(trust_env=False, follow_redirects=True)


async def by_async_httpx(request: Request) -> bytes:
    client = _async_client
    if request.proxy:
        client = httpx.AsyncClient(proxy=request.proxy, trust_env=False)
    body = request.later() if request.parts else None
    response = await client.request(
        request.method, request.url, headers=request.headers, content=body
    )
    return response.content


_sessions: list[aiohttp.ClientSession] = []


async def by_aiohttp(request: Request) -> bytes:
    if not _sessions:  # it belongs to the event loop
        _sessions.append(aiohttp.ClientSession())
    async with _sessions[0].request(
        request.method,
        request.url,
        headers=request.headers,
        data=request.later() if request.parts else None,
        proxy=request.proxy or None,
    ) as response:
        return await response.read()


async def close() -> None:
    """Close what would warn of being left open."""
    for session in _sessions:
        await session.close()


BLOCKING: dict[str, Callable[[Request], bytes]] = {
    "http.client": by_http_client,
    "putrequest": by_putrequest,
    "urllib": by_urllib,
    "urllib3": by_urllib3,
    "requests": by_requests,
    "httpx": by_httpx,
}
ASYNCHRONOUS: dict[str, Callable[[Request], Awaitable[bytes]]] = {
    "async httpx": by_async_httpx,
    "aiohttp": by_aiohttp,
}
ERRORS: tuple[type[Exception], ...] = (
    OSError,
    urllib.error.URLError,
    urllib3.exceptions.HTTPError,
    requests.RequestException,
    httpx.HTTPError,
    aiohttp.ClientError,
)
