"""What a promotion that was killed leaves is taken over by the next one."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest
from live_node import Node
from live_shop import Shop, project
from tiny import NOMOCK

SPACE = ("-n", "nomock-shop")
NUMBERS = count(1)


def numbered(number: int) -> dict[str, Any]:
    """The project, in which each number has a job, a web server and another service of its own."""
    config = project()
    services = config["services"]
    for name in ("web", "job"):
        services[name]["environment"] = {"NUMBER": str(number)}
    services[f"data-{number}"] = services.pop("data")
    return config


@pytest.fixture(scope="module")
def shop(node: Node, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    node.local("--argo")
    found = Shop(tmp_path_factory.mktemp("killed"), node)
    yield found
    assert found.nomock("sandbox", "down").returncode == 0


class Running:
    """A command of nomock that is running, to be killed."""

    def __init__(self, shop: Shop, number: int, *arguments: str) -> None:
        self.node, self.number = shop.node, number
        self.process = subprocess.Popen(
            [NOMOCK, *arguments],
            cwd=shop.folder,
            env=shop.node.environ,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    def begins(self, phase: str) -> None:
        """Wait until it says that a phase begins."""
        assert self.process.stderr is not None
        said = iter(self.process.stderr.readline, "")
        assert any(line.startswith(phase) for line in said), f"it ended before {phase}"

    def has(self, *wanted: str) -> None:
        """Wait until the cluster has an object."""
        look = ("get", *SPACE, "--ignore-not-found", "-o", "name", *wanted)
        assert self.node.comes_to(lambda: bool(self.node.kubectl(*look)))

    def has_the_first_wave(self) -> None:
        """Wait until a service that waits for nobody is made."""
        self.has(f"deployment/data-{self.number}")

    def has_the_second_wave(self) -> None:
        """Wait until the web server, which waits for the job, is that of this promotion."""
        assert self.node.comes_to(lambda: number_of_web(self.node) == str(self.number))

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


def number_of_web(node: Node) -> str:
    """Return the number that the Deployment of the web server was made with; "" without one."""
    path = "jsonpath={.spec.template.spec.containers[0].env[0].value}"
    return node.kubectl("get", *SPACE, "--ignore-not-found", "deployment/web", "-o", path)


def check_right(shop: Shop, number: int) -> None:
    """See that what is there is what was promoted, all of it and nothing else."""
    told = shop.nomock("sandbox", "status")
    assert told.returncode == 0, told.stdout
    names = shop.node.kubectl("get", "deploy,svc,job,secret", *SPACE, "-o", "name").split()
    jobs = [name for name in names if name.startswith("job")]
    assert len(jobs) == 1
    data = f"data-{number}"
    assert set(names) - {*jobs} == {
        *(f"deployment.apps/{name}" for name in ("web", data)),
        *(f"service/{name}" for name in ("web", data)),
    }
    assert number_of_web(shop.node) == str(number)


MOMENTS: dict[str, Callable[[Running], None]] = {
    "before anything is applied": lambda run: run.begins("sync"),
    "in the first wave": Running.has_the_first_wave,
    "in the second wave": Running.has_the_second_wave,
    "before the endpoint is asked": lambda run: run.begins("endpoint"),
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_promotion_should_end_in_a_right_state_when_the_one_before_was_killed(
    shop: Shop, moment: str
) -> None:
    killed, number = next(NUMBERS), next(NUMBERS)
    shop.write(numbered(killed))
    running = Running(shop, killed, "promote")
    MOMENTS[moment](running)
    running.kill()
    shop.write(numbered(number))
    promoted = shop.nomock("promote", "--json")
    assert promoted.returncode == 0, promoted.stderr
    assert json.loads(promoted.stdout)["answers"] == {"web": 200}
    check_right(shop, number)


def test_a_promotion_should_end_in_a_right_state_when_the_end_of_the_sandbox_was_killed(
    shop: Shop,
) -> None:
    number = next(NUMBERS)
    running = Running(shop, number, "sandbox", "down")
    running.begins("removing")
    running.kill()
    shop.write(numbered(number))
    promoted = shop.nomock("promote", "--argo")
    assert promoted.returncode == 0, promoted.stderr
    check_right(shop, number)


def test_a_promotion_should_end_a_sync_when_the_promotion_that_began_it_was_killed(
    shop: Shop,
) -> None:
    killed, number = next(NUMBERS), next(NUMBERS)
    shop.write(numbered(killed))
    running = Running(shop, killed, "promote", "--argo")
    running.has_the_first_wave()
    running.kill()
    shop.write(numbered(number))
    promoted = shop.nomock("promote", "--argo")
    assert promoted.returncode == 0, promoted.stderr
    check_right(shop, number)
