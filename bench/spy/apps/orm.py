"""A Django application that reads rows from SQLite by the ORM."""

from __future__ import annotations

from pathlib import Path

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import connection, models
from django.http import HttpRequest, JsonResponse
from django.urls import path

STORE = Path("/tmp/orders.sqlite3")
settings.configure(
    ALLOWED_HOSTS=["*"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": STORE}},
    ROOT_URLCONF=__name__,
)
django.setup()


class Order(models.Model):
    """An order of somebody's."""

    name = models.CharField(max_length=20)
    number = models.IntegerField()

    class Meta:
        app_label = "orm"


def page(request: HttpRequest, name: str) -> JsonResponse:
    """Answer a request."""
    rows = []
    for order in Order.objects.filter(name=name).order_by("number")[:20]:
        rows.append({"name": order.name, "number": order.number, "even": order.number % 2 == 0})
    return JsonResponse({"title": name, "rows": rows})


urlpatterns = [path("<str:name>", page)]
STORE.unlink(missing_ok=True)
with connection.schema_editor() as editor:
    editor.create_model(Order)
Order.objects.bulk_create(Order(name="bench", number=number) for number in range(40))
app = get_wsgi_application()
