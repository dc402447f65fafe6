from celery import Celery, group

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
