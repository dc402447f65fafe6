"""One request and its answer, and what the rules do to them."""

from collections.abc import Mapping
from http import HTTPStatus

from httpfaults.bodies import Body, Chunked, Length
from httpfaults.heads import RequestHead
from httpfaults.rules import Rule

MOST_REPEATED = 8 * 1024 * 1024
"""A longer request is not sent twice: until then, all of it has to be kept."""


class Exchange:
    """What is known of the request under way. A rule is hit when it does what it says."""

    def __init__(self, head: RequestHead, rules: Mapping[str, Rule]) -> None:
        self.head = head
        self.sent = False
        """The whole request has come."""
        self.answered = False
        """The whole answer has come."""
        self.status = rules.get("status")
        self.delay = rules.get("delay")
        self.half = rules.get("half")
        self.twice = rules.get("twice") if self.status is None else None
        self.repeated = False
        """The request has been sent once more."""
        self._record: list[bytes] = []
        self._recorded = 0
        self._left: int | None = None

    @property
    def first_of_two(self) -> bool:
        """Whether this answer is kept from the caller, because another one follows."""
        return self.twice is not None and not self.repeated

    def passes(self, data: bytes) -> bytes:
        """Return what of the request goes to the service."""
        if self.status is not None:
            return b""
        if self.first_of_two:
            self._recorded += len(data)
            if self._recorded <= MOST_REPEATED:
                self._record.append(data)
            else:
                self.twice = None
                self._record.clear()
        return data

    def waits_ms(self) -> int:
        """Return how long the answer is held back from now on."""
        delay, self.delay = self.delay, None
        if delay is None:
            return 0
        delay.hits += 1
        return delay.delay_ms

    def be_once(self) -> None:
        """Do not send it twice, if that has not been done: it was answered before it was whole."""
        if not self.repeated:
            self.twice = None

    def repeat(self) -> None:
        """The first answer is over; another one follows."""
        self.repeated = True
        self.answered = False

    def again(self) -> bytes:
        """Return what goes to the service once more, nothing where that is not wanted."""
        if self.twice is None or not self.repeated:
            return b""
        self.twice.hits += 1
        return b"".join(self._record)

    def begins(self, body: Body) -> None:
        """Take the kind of body of the answer that the caller gets."""
        if self.half is None or isinstance(body, Chunked):
            return
        if isinstance(body, Length) and body.size:
            self._left = body.size // 2
        else:
            self.half = None  # there is no half of nothing, nor of what has no announced end

    def returns(self, data: bytes) -> tuple[bytes, bool]:
        """Return what of the answer's body goes to the caller, and whether that is the end."""
        if self.half is None:
            return data, False
        if self._left is None:  # a chunked body: how long it will be, nobody knows
            self._left = len(data) // 2
        data = data[: self._left]
        self._left -= len(data)
        if self._left == 0:
            self.half.hits += 1
            return data, True
        return data, False

    def instead(self, *, last: bool) -> bytes:
        """Return the answer that the caller gets in place of the service's."""
        rule = self.status
        assert rule is not None
        rule.hits += 1
        body = rule.body.encode(errors="surrogateescape")
        lines = [f"HTTP/1.1 {rule.status} {_phrase(rule.status)}"]
        if rule.status not in {204, 304}:
            lines += [f"Content-Type: {rule.content_type}", f"Content-Length: {len(body)}"]
        if last:
            lines.append("Connection: close")
        head = "".join(f"{line}\r\n" for line in [*lines, ""]).encode()
        return head if self.head.method == "HEAD" else head + body


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Status"
