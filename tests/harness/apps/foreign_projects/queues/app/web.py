import asyncio
from uuid import uuid4
from wsgiref.simple_server import make_server

from arq import create_pool
from redis import Redis
from rq import Queue
from tasks import Worker, bare, buy, orders, pay, price

queue = Queue(connection=Redis("broker"))


def by_celery():
    return orders.delay([3, 11]).get(timeout=60)


def by_rq():
    return queue.enqueue(price, 11).latest_result(timeout=60).return_value


def by_rq_with_something_of_its_own():
    return queue.enqueue(price, 11, meta={"baggage": 7}).meta


def by_dramatiq():
    key = uuid4().hex
    chain = buy.message(11, key) | pay.message(key)
    return chain.run().get_result(block=True, timeout=60_000)


def by_dramatiq_without_the_spy():
    return bare.send(11).get_result(block=True, timeout=60_000)


async def of_arq(name, **options):
    pool = await create_pool(Worker.redis_settings)
    job = await pool.enqueue_job(name, 11, **options)
    return await job.result(timeout=60, poll_delay=0.01)


def by_arq():
    return asyncio.run(of_arq("lend"))


def by_arq_without_the_spy():
    return asyncio.run(of_arq("give", _queue_name="bare"))


ANSWERS = {
    "/celery": by_celery,
    "/rq": by_rq,
    "/rq-own": by_rq_with_something_of_its_own,
    "/dramatiq": by_dramatiq,
    "/dramatiq-bare": by_dramatiq_without_the_spy,
    "/arq": by_arq,
    "/arq-bare": by_arq_without_the_spy,
}


def app(environ, start_response):
    answer = ANSWERS[environ["PATH_INFO"]]()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(answer).encode()]


make_server("", 8000, app).serve_forever()
