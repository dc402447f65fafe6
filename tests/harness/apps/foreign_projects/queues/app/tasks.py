import dramatiq
from arq import Retry
from arq.connections import RedisSettings
from celery import Celery, group
from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware import Middleware, MiddlewareError
from dramatiq.results import Results
from dramatiq.results.backends import RedisBackend

app = Celery("tasks", broker="redis://broker", backend="redis://broker")


def price(count):
    if count > 10:
        return count * 9
    return count * 10


@app.task
def order(count):
    return price(count)


@app.task
def orders(counts):
    group(order.s(count) for count in counts).apply_async()
    return sum(map(price, counts))


class Looks(Middleware):
    """Knows the options of a message where it is sent, and where a worker with the spy has it."""

    USUAL = {"redis_message_id", "pipe_target", "eta", "retries", "traceback", "requeue_timestamp"}

    def before_enqueue(self, broker, message, delay):
        if not self.USUAL.issuperset(message.options):
            raise MiddlewareError(f"odd options: {message.options}")

    def before_process_message(self, broker, message):
        if message.queue_name != "bare":
            self.before_enqueue(broker, message, None)


broker = RedisBroker(url="redis://broker")
broker.add_middleware(Looks())
broker.add_middleware(Results(backend=RedisBackend(url="redis://broker")))
dramatiq.set_broker(broker)
tried = set()


@dramatiq.actor(min_backoff=1, max_backoff=1, store_results=True)
def buy(count, key):
    if key not in tried:  # for: dramatiq
        tried.add(key)  # for: dramatiq
        raise dramatiq.errors.Retry("once more", delay=1)  # for: dramatiq
    return count  # for: dramatiq


@dramatiq.actor(store_results=True)
def pay(key, count):
    return last(count)  # for: dramatiq


@dramatiq.actor(queue_name="bare", store_results=True)
def bare(count):
    return price(count)


def last(count):
    return count * 8  # for: dramatiq, arq


async def lend(ctx, count):
    if ctx["job_try"] == 1:  # for: arq
        raise Retry  # for: arq
    job = await ctx["redis"].enqueue_job("give", count)  # for: arq
    return await job.result(timeout=60, poll_delay=0.01)  # for: arq


async def give(ctx, count):
    return last(count)  # for: arq


class Worker:
    functions = [lend, give]
    redis_settings = RedisSettings("broker")
    poll_delay = 0.01


class Bare:
    functions = [give]
    redis_settings = RedisSettings("broker")
    poll_delay = 0.01
    queue_name = "bare"
