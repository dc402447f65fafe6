"""The checks, one file each, in the order in which they are shown."""

from collections.abc import Callable, Iterator, Mapping

from nomock.doctor.checks import (
    addresses,
    contexts,
    first_start,
    healthchecks,
    once,
    order,
    pythons,
    variables,
    versions,
)
from nomock.doctor.seen import Seen
from nomock.doctor.trouble import Trouble

CHECKS: Mapping[str, Callable[[Seen], Iterator[Trouble]]] = {
    "versions": versions.look,
    "variables": variables.look,
    "addresses": addresses.look,
    "health checks": healthchecks.look,
    "first start": first_start.look,
    "order of start": order.look,
    "build contexts": contexts.look,
    "coverage": pythons.look,
    "more than one stack": once.look,
}
