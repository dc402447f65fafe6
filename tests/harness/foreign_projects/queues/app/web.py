from wsgiref.simple_server import make_server

from redis import Redis
from rq import Queue
from tasks import orders, price

queue = Queue(connection=Redis("broker"))


def by_celery():
    return orders.delay([3, 11]).get(timeout=60)


def by_rq():
    return queue.enqueue(price, 11).latest_result(timeout=60).return_value


def app(environ, start_response):
    answer = {"/celery": by_celery, "/rq": by_rq}[environ["PATH_INFO"]]()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(answer).encode()]


make_server("", 8000, app).serve_forever()
