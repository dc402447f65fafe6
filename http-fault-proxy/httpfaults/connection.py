"""One connection: a caller on one side, the service on the other, and one request at a time.

Bytes are passed on as they came. Only heads are read, and where each body ends, so that it is
known which request a rule is asked for and which answer is that request's. What cannot be read
(another protocol, a malformed message) is passed on unread, and no rule meets it: what is wrong
with it is the service's to say.
"""

from __future__ import annotations

from httpfaults import heads
from httpfaults.exchange import Exchange
from httpfaults.heads import RequestHead, ResponseHead
from httpfaults.messages import Mark, Messages
from httpfaults.pair import Dial, Pair
from httpfaults.rules import Rules

_LINGER_S = 5.0
SWITCHING_PROTOCOLS = 101


class Connection(Pair):
    """Between a caller that has come and the service of its edge."""

    def __init__(self, edge: str, dial: Dial, rules: Rules) -> None:
        super().__init__(dial)
        self._edge = edge
        self._rules = rules
        self._requests = Messages[RequestHead](heads.request, heads.may_begin_request)
        self._exchange: Exchange | None = None
        self._tunnelled = False
        self._answer: list[bytes] = []
        """What goes to the caller next."""

    def _call_service(self) -> None:
        self._responses = Messages[ResponseHead](heads.response, heads.may_begin_response)
        super()._call_service()

    def _service_made(self) -> None:
        if self._exchange is not None:
            self._service.write(self._exchange.again())
        self._take_requests()

    # From the caller to the service.

    def _from_caller(self, data: bytes) -> None:
        self._requests.feed(data)
        if self._service.made:
            self._take_requests()
        self._flow()

    def _caller_ends(self) -> None:
        if self._service.ended or self._waiting is not None:
            self._close()  # also who could still listen, but mostly has given up
        elif self._service.made:
            self._take_requests()

    def _take_requests(self) -> None:
        while self._take_request():
            pass

    def _take_request(self) -> bool:
        """Take what has come of a request; return whether the next one's turn has come."""
        out: list[bytes] = []
        while self._exchange is None or not self._exchange.sent:
            piece = self._requests.take()
            if piece is None:
                break
            if isinstance(piece, bytes):
                out.append(self._exchange.passes(piece) if self._exchange else piece)
            elif isinstance(piece, RequestHead):
                self._requests.follows(piece.body)
                self._exchange = Exchange(piece, self._rules.meeting(self._edge, piece))
                out.append(self._exchange.passes(piece.raw))
            elif piece is Mark.END:
                assert self._exchange is not None
                self._exchange.sent = True
            else:
                self._tunnel()
                self._take_responses()
        self._service.write(b"".join(out))
        if self.caller.ended:
            self._no_more_requests()
        return self._exchange is not None and self._after_request(self._exchange)

    def _no_more_requests(self) -> None:
        if self._exchange is None or not self._exchange.sent:
            self._service.write(self._requests.rest())  # it will never be whole
        if not self._requests.held:
            self._service.end()

    def _after_request(self, exchange: Exchange) -> bool:
        if exchange.status is None:
            return exchange.sent and exchange.answered and self._after_answer(exchange)
        if self._waiting is None:
            if exchange.sent or exchange.head.expects:
                self._hold(exchange.waits_ms(), lambda: self._answer_instead(exchange))
            elif self.caller.ended:
                self._close()
        return self._exchange is None

    def _answer_instead(self, exchange: Exchange) -> None:
        last = not (exchange.sent and exchange.head.keeps_alive and not self._service.ended)
        self.caller.write(exchange.instead(last=last))
        self._exchange = None
        if last:
            self._service.detach()
            self._requests.give_up()
            self.caller.linger(_LINGER_S)

    # From the service to the caller.

    def _from_service(self, data: bytes) -> None:
        self._responses.feed(data)
        self._take_responses()
        self._flow()

    def _service_ends(self) -> None:
        service = self._service
        self._responses.end()
        self._take_responses()
        exchange = self._exchange
        if not service.made or (exchange is not None and exchange.status is not None):
            return  # hung up already; or the answer is not its own
        self.caller.write(self._responses.rest())
        self.caller.end()
        if self.caller.ended if self._tunnelled else exchange is None or exchange.sent:
            self._close()

    def _take_responses(self) -> None:
        while self._waiting is None and self._service.made:
            piece = self._responses.take()
            if piece is None:
                break
            if isinstance(piece, bytes):
                self._pass(piece)
            elif isinstance(piece, ResponseHead):
                self._begin(piece)
            elif piece is Mark.END:
                self._answered()
            else:
                self._tunnel()
                self._take_requests()
        self._flush()

    def _begin(self, head: ResponseHead) -> None:
        exchange = self._exchange
        if exchange is None or head.status == SWITCHING_PROTOCOLS:
            self._answer.append(head.raw)
            self._tunnel()
            self._take_requests()
        elif head.interim:
            if not exchange.repeated:
                self._answer.append(head.raw)
        elif exchange.first_of_two and exchange.sent:
            self._responses.follows(head.body(exchange.head.method))
        else:
            exchange.be_once()
            self._hold(exchange.waits_ms(), lambda: self._begin_for(exchange, head))

    def _begin_for(self, exchange: Exchange, head: ResponseHead) -> None:
        body = head.body(exchange.head.method)
        self._responses.follows(body)
        exchange.begins(body)
        self._answer.append(head.raw)

    def _pass(self, data: bytes) -> None:
        exchange = self._exchange
        if exchange is None:
            self._answer.append(data)
        elif not exchange.first_of_two:
            data, cut = exchange.returns(data)
            self._answer.append(data)
            if cut:
                self._flush()
                self._close()

    def _answered(self) -> None:
        exchange = self._exchange
        assert exchange is not None
        exchange.answered = True
        if exchange.sent and self._after_answer(exchange):
            self._take_requests()

    def _after_answer(self, exchange: Exchange) -> bool:
        """Go on after an exchange; return whether the next request's turn has come."""
        if exchange.first_of_two:
            exchange.repeat()
            self._service.detach()
            self._call_service()
            return False
        self._exchange = None
        self._flush()
        return True

    def _flush(self) -> None:
        data = b"".join(self._answer)
        self._answer.clear()
        self.caller.write(data)

    # Both.

    def _go_on(self) -> None:
        self._take_requests()
        self._take_responses()

    @property
    def _held(self) -> int:
        return self._requests.held

    def _tunnel(self) -> None:
        """Pass everything on from here, in both directions, as it is."""
        exchange, self._exchange = self._exchange, None
        self._tunnelled = True
        self._requests.give_up()
        self._responses.give_up()
        if exchange is not None and exchange.status is not None:
            self._close()  # half of it has been swallowed
