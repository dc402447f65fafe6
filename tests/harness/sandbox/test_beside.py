"""What stands beside a service in a cluster: a program in its pod that is talked to."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from socket import gethostname

import pytest
from fake_pods import NAMESPACE, FakeCluster, fake_pods

from nomock.adapters.kubernetes import Pods, connect
from nomock.errors import ClusterError, NotPossibleError, WatchdogError
from nomock.faults.watchdog import Watchdog
from nomock.target import this_process

ECHO = "import sys\nfor line in sys.stdin: print(line.strip().upper(), flush=True)"
DEAF = "import sys\nsys.stdin.readline(); sys.stdin.read()"
DIES = "import sys\nsys.stdin.readline()"


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[FakeCluster]:
    with fake_pods(tmp_path) as made:
        yield made


@pytest.fixture
def pods(cluster: FakeCluster, tmp_path: Path) -> Pods:
    return Pods(connect("tests", tmp_path / "kubeconfig"), NAMESPACE)


def test_a_program_should_answer_and_end_when_the_conversation_does(
    cluster: FakeCluster, pods: Pods
) -> None:
    web, cluster.program = cluster.add("web"), ECHO
    talk = pods.begin_beside(web, ["echo"], image="tools", owner=this_process())
    assert [talk.ask(word, 10) for word in ("one", "two" * 20_000)] == ["ONE", "TWO" * 20_000]
    assert pods.owners_beside(web) == [f"{gethostname()}:{os.getpid()}"]
    ((name, program),) = cluster.programs.items()
    assert talk.container_id == f"{NAMESPACE}/web-1/{name}"
    talk.close()
    assert program.wait(10) == 0
    (container,) = cluster.pods["web-1"]["spec"]["ephemeralContainers"]
    assert container["command"] == ["echo"]
    assert container["image"] == "localhost:1/tools@sha256:1"
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"], "add": ["NET_ADMIN"]}
    with pytest.raises(ClusterError, match="the conversation is over"):
        talk.ask("three", 10)


def test_nobody_should_be_beside_a_service_when_the_program_has_ended(
    cluster: FakeCluster, pods: Pods
) -> None:
    web = cluster.add("web")
    pods.begin_beside(web, ["echo"], image="tools", owner="elsewhere:7").close()
    (told,) = cluster.pods["web-1"]["status"]["ephemeralContainerStatuses"]
    told["state"] = {"terminated": {"exitCode": 0}}
    assert pods.owners_beside(web) == []
    assert pods.owners_beside(f"{NAMESPACE}/gone/web") == []


@pytest.mark.parametrize(
    ("program", "what"), [(DEAF, "did not answer within 0.2 s"), (DIES, "the program ended")]
)
def test_a_program_should_not_be_asked_again_when_it_did_not_answer(
    cluster: FakeCluster, pods: Pods, program: str, what: str
) -> None:
    cluster.program = program
    talk = pods.begin_beside(cluster.add("web"), ["echo"], image="tools", owner="e:7")
    with pytest.raises(ClusterError, match=what):
        talk.ask("one", 0.2 if program == DEAF else 10)
    with pytest.raises(ClusterError, match="the conversation is over"):
        talk.ask("two", 10)


def test_a_test_should_be_skipped_when_the_cluster_lets_no_watchdog_stand_there(
    cluster: FakeCluster, pods: Pods
) -> None:
    cluster.refuses["/ephemeralcontainers"] = 'violates PodSecurity "baseline:latest"'
    with pytest.raises(NotPossibleError) as refused:
        Watchdog.beside(pods, cluster.add("web"), "tools")
    assert str(refused.value) == (
        "pod web-1 of nomock-t: the cluster does not let a watchdog stand beside a service\n"
        '  violates PodSecurity "baseline:latest"\n'
        "-> let this user patch pods/ephemeralcontainers and create pods/attach, and the namespace "
        "have containers with the capabilities NET_ADMIN and SYS_PTRACE"
    )


def test_the_clusters_words_should_be_said_when_the_image_cannot_be_pulled(
    cluster: FakeCluster, pods: Pods
) -> None:
    cluster.add("web")
    cluster.begins = lambda container: {"waiting": {"reason": "ErrImagePull", "message": "no such"}}
    with pytest.raises(WatchdogError) as caught:
        Watchdog.beside(pods, f"{NAMESPACE}/web-1/web", "tools")
    assert str(caught.value) == (
        "watchdog beside container web-1: it does not start\n"
        "  ErrImagePull: no such\n"
        "-> the service has to run, tools to have python3, nft and tc, and the kernel it runs on "
        "nf_tables"
    )


def test_a_promotion_should_be_asked_for_when_it_has_pushed_no_tools(
    cluster: FakeCluster, pods: Pods
) -> None:
    cluster.annotations = {}
    with pytest.raises(NotPossibleError, match="the sandbox has no image for what stands beside"):
        Watchdog.beside(pods, cluster.add("web"), "tools")


def test_a_container_should_be_paused_until_it_goes_on_when_a_program_beside_halts_it(
    cluster: FakeCluster, pods: Pods
) -> None:
    web = cluster.add("web")
    pods.pause(web)
    life = pods.container_state(web)
    assert life is not None and life.state == "paused"
    (container,) = cluster.pods["web-1"]["spec"]["ephemeralContainers"]
    assert container["targetContainerName"] == "web"
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"], "add": ["SYS_PTRACE"]}
    pods.unpause(web)
    life = pods.container_state(web)
    assert life is not None and life.state == "running"
    assert [act.what for act in pods.acts] == ["pause", "unpause"]


def test_the_kernels_words_should_be_said_when_it_lets_nobody_halt_a_container(
    cluster: FakeCluster, pods: Pods
) -> None:
    cluster.program = "input(); print('Operation not permitted')"
    with pytest.raises(ClusterError, match="processes cannot be told to halt\n  Operation not"):
        pods.pause(cluster.add("web"))
