"""The worker: its connections and its cluster mocked."""

from __future__ import annotations

import http.client
import io
import json
import signal
from typing import Any
from unittest.mock import MagicMock, call
from uuid import UUID

import psycopg
import pytest
from scripted import Connection
from worker import __main__ as main
from worker import cluster as clusters
from worker import health, instance, jobs, manifests, places
from worker.cluster import Cluster, ClusterError, RefusedError, UnavailableError
from worker.waits import Waits

ID = UUID(int=7)
JOB = jobs.Job(1, ID, "provision", "nomock.test=x", "", "small")
RACK = jobs.Places({}, 1.0)
MOVE = "UPDATE instances.instances SET state = %s"


@pytest.fixture
def queue() -> Connection:
    """The queue with one job to provision, for which there is room."""
    queue = Connection()
    queue.on("FROM instances.jobs j JOIN", (1, ID, "provision", "nomock.test=x", "", "small"))
    queue.on("SELECT capacity", (2,))
    queue.on("SELECT count(*) FROM instances.resources", (1,))
    queue.on(MOVE, rowcount=1)
    return queue


@pytest.fixture
def announcer() -> Connection:
    announcer = Connection()
    announcer.on("SET state = 'provisioning'", (1,))
    return announcer


# Jobs


def test_instance_should_run_when_there_is_room(queue: Connection, announcer: Connection) -> None:
    assert jobs.work(queue, announcer, RACK) is True
    assert announcer.sent("SET state = 'provisioning'") == [[ID]]
    assert queue.sent("INSERT INTO instances.resources") == [[ID, "small", 1]]
    assert queue.sent(MOVE) == [["running", None, ID, "provisioning"]]
    assert queue.sent("SET done_at") == [[1]]
    assert queue.rolled_back == 0


def test_nothing_should_be_done_when_there_is_no_job(announcer: Connection) -> None:
    assert jobs.work(Connection(), announcer, RACK) is False
    assert announcer.calls == []


def test_job_should_be_claimed_past_others_when_workers_share_the_queue(queue: Connection) -> None:
    jobs.claim(queue)
    ((statement, _),) = queue.calls
    assert statement.count("SKIP LOCKED") == 2


@pytest.mark.parametrize(("used", "state"), [(1, "running"), (2, "failed"), (3, "failed")])
def test_instance_should_fail_when_its_size_has_no_place(
    queue: Connection, announcer: Connection, used: int, state: str
) -> None:
    queue.on("SELECT count(*) FROM instances.resources", (used,))
    jobs.work(queue, announcer, RACK)
    ((moved, reason, _, _),) = queue.sent(MOVE)
    assert moved == state
    if state == "failed":
        assert reason == "no rack has room for another small"
        assert queue.sent("INSERT INTO instances.resources") == []


def test_resource_should_not_be_kept_when_the_instance_was_given_back_meanwhile(
    queue: Connection, announcer: Connection
) -> None:
    queue.on(MOVE, rowcount=0)
    jobs.work(queue, announcer, RACK)
    assert queue.rolled_back == 1
    assert queue.sent("SET done_at") == [[1]]


def test_job_should_end_when_the_instance_is_no_longer_wanted(queue: Connection) -> None:
    assert jobs.work(queue, Connection(), RACK) is True
    assert queue.sent("INSERT INTO instances.resources") == []
    assert queue.sent("SET done_at") == [[1]]


@pytest.mark.parametrize(("attempt", "given_up"), [(5, False), (6, True)])
def test_worker_should_give_up_when_a_job_was_tried_too_often(
    queue: Connection, attempt: int, given_up: bool
) -> None:
    said = jobs.provision(queue, JOB, attempt, RACK)
    assert said.startswith("failed: given up after 5 attempts") is given_up


def test_instance_should_fail_when_the_cluster_refuses_it(queue: Connection) -> None:
    place = MagicMock()
    place.make.side_effect = RefusedError(403, "exceeded quota")
    said = jobs.provision(queue, JOB, 1, jobs.Places({"small": place}, 1.0))
    assert said == "failed: the cluster refused it: exceeded quota"
    place.remove.assert_called_once_with(ID)


def test_job_should_be_free_again_when_the_cluster_is_away(
    queue: Connection, announcer: Connection
) -> None:
    place = MagicMock()
    place.make.side_effect = UnavailableError("slow")
    with pytest.raises(UnavailableError):
        jobs.work(queue, announcer, jobs.Places({"small": place}, 1.0))
    assert queue.rolled_back == 1
    assert queue.sent("SET done_at") == []


def test_resource_should_be_gone_when_an_instance_is_deprovisioned(queue: Connection) -> None:
    queue.on("FROM instances.jobs j JOIN", (2, ID, "deprovision", "", "", "small"))
    jobs.work(queue, Connection(), RACK)
    assert queue.sent(MOVE) == [["deprovisioned", None, ID, "deprovisioning"]]
    assert queue.sent("DELETE FROM instances.resources") == [[ID]]


def test_place_should_be_cleared_when_an_instance_in_a_cluster_is_deprovisioned(
    queue: Connection,
) -> None:
    queue.on("FROM instances.jobs j JOIN", (2, ID, "deprovision", "", "", "dedicated"))
    place = MagicMock()
    jobs.work(queue, Connection(), jobs.Places({"dedicated": place}, 1.0))
    place.remove.assert_called_once_with(ID)
    assert queue.sent("kind = 'provision' FOR UPDATE") == [[ID]]


def test_row_should_be_asked_for_when_it_must_be_there() -> None:
    with pytest.raises(LookupError):
        jobs.one(Connection(), "SELECT capacity", "gigantic")


# The main loop


@pytest.fixture
def waits() -> Waits:
    return Waits.from_environment()


def test_waits_should_keep_their_order_when_they_are_computed(waits: Waits) -> None:
    assert waits.cluster_s < waits.lock_s < waits.statement_s < waits.job_s < waits.idle_s
    assert [waits.pause_s(n) for n in (0, 1, 2, 9)] == pytest.approx([0.1, 0.2, 0.5, 1.0])


def test_connection_should_have_time_outs_when_it_is_made(waits: Waits, mocker: Any) -> None:
    made = mocker.patch("worker.__main__.connecting.connect")
    main.connect(waits)
    options = made.call_args.kwargs["options"]
    assert "lock_timeout=14400" in options
    assert "statement_timeout=16200" in options
    assert "client_connection_check_interval=250" in options
    assert "idle_in_transaction_session_timeout=22500" in options
    assert made.call_args.kwargs["autocommit"] is True
    assert made.call_args.kwargs["connect_timeout"] == 5


def test_job_should_be_given_up_when_it_takes_too_long(waits: Waits, mocker: Any) -> None:
    timer = mocker.patch("worker.__main__.threading.Timer")
    mocker.patch("worker.__main__.jobs.work", return_value=True)
    severed = mocker.patch("worker.__main__.sever")
    queue, announcer = MagicMock(), MagicMock()
    assert main.work_in_time(waits, queue, announcer, RACK) is True
    delay_s, sever_all = timer.call_args.args
    assert delay_s == 18
    timer.return_value.cancel.assert_called_once()
    sever_all()
    assert severed.call_args_list == [call(queue), call(announcer)]


def test_worker_should_listen_before_it_looks_when_it_starts(waits: Waits, mocker: Any) -> None:
    mocker.patch("worker.__main__.HEARTBEAT")
    conn = MagicMock()
    conn.__enter__.return_value = conn
    mocker.patch("worker.__main__.connect", return_value=conn)
    worked = mocker.patch(
        "worker.__main__.work_in_time", side_effect=[True, False, psycopg.OperationalError]
    )
    with pytest.raises(psycopg.OperationalError):
        main.serve(waits, RACK)
    conn.execute.assert_called_once_with("LISTEN instances_jobs")
    conn.notifies.assert_called_once_with(timeout=2.0, stop_after=1)
    assert worked.call_count == 3


@pytest.fixture
def around(mocker: Any) -> Any:
    """What `main` calls."""
    mocker.patch("worker.__main__.logs.configure")
    mocker.patch("worker.__main__.HEARTBEAT").exists.return_value = True
    mocker.patch("worker.__main__.places", return_value={})
    around = MagicMock()
    around.signal = mocker.patch("worker.__main__.signal.signal")
    around.sleep = mocker.patch("worker.__main__.time.sleep")
    around.flush = mocker.patch("worker.__main__.tracing.flush")
    return around


@pytest.mark.parametrize(
    "error", [psycopg.OperationalError("lost"), psycopg.DataError("x"), ClusterError("away")]
)
def test_worker_should_go_on_when_it_was_interrupted(
    around: Any, mocker: Any, error: Exception
) -> None:
    served = mocker.patch("worker.__main__.serve", side_effect=[error, error, main.Stopped])
    assert main.main() == 0
    assert served.call_count == 3
    assert [each.args[0] for each in around.sleep.call_args_list] == pytest.approx([0.2, 0.5])
    around.flush.assert_called_once()


def test_worker_should_stop_when_it_is_told_to(around: Any, mocker: Any) -> None:
    mocker.patch("worker.__main__.serve", side_effect=main.Stopped)
    assert main.main() == 0
    around.signal.assert_called_once_with(signal.SIGTERM, main.stop)
    with pytest.raises(main.Stopped):
        main.stop(signal.SIGTERM, None)
    assert not issubclass(main.Stopped, Exception | KeyboardInterrupt)


def test_worker_should_be_healthy_when_its_heart_beat_a_moment_ago(tmp_path: Any) -> None:
    import os
    import time

    beat = tmp_path / "heartbeat"
    assert health.healthy(beat, 18) is False
    beat.touch()
    assert health.healthy(beat, 18) is True
    os.utime(beat, (time.time() - 60, time.time() - 60))
    assert health.healthy(beat, 18) is False


def test_instance_should_tell_who_it_is_when_it_is_asked(monkeypatch: Any, mocker: Any) -> None:
    for name in ("INSTANCE_ID", "INSTANCE_SIZE", "HOSTNAME"):
        monkeypatch.setenv(name, name.lower())
    handler = instance.Handler.__new__(instance.Handler)
    handler.wfile = io.BytesIO()
    sent = mocker.patch.multiple(
        instance.Handler,
        send_response=MagicMock(),
        send_header=MagicMock(),
        end_headers=MagicMock(),
    )
    assert sent is not None
    handler.do_GET()
    assert json.loads(handler.wfile.getvalue())["INSTANCE_ID"] == "instance_id"
    handler.log_message("x")
    serve = mocker.patch("worker.instance.ThreadingHTTPServer").return_value.serve_forever
    mocker.patch("worker.instance.signal.signal")
    assert instance.main() == 0
    serve.assert_called_once()


# The cluster


@pytest.fixture
def account(tmp_path: Any, mocker: Any) -> Any:
    (tmp_path / "token").write_text("an-account-token")
    (tmp_path / "namespace").write_text("sandbox")
    mocker.patch.object(clusters, "ACCOUNT", tmp_path)
    mocker.patch("worker.cluster.ssl.create_default_context")
    return mocker.patch("worker.cluster.http.client.HTTPSConnection").return_value


def answers(account: Any, status: int, **body: Any) -> None:
    account.getresponse.return_value = MagicMock(
        status=status, read=MagicMock(return_value=json.dumps(body).encode())
    )


def test_object_should_be_returned_when_it_is_there(account: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT_HTTPS", "443")
    answers(account, 200, kind="Pod")
    cluster = Cluster.own()
    assert (cluster.namespace, cluster.get("/x")) == ("sandbox", {"kind": "Pod"})
    method, path, _, headers = account.request.call_args.args
    assert (method, path) == ("GET", "/x")
    assert headers["Authorization"] == "Bearer an-account-token"
    account.close.assert_called_once()


def test_cluster_should_be_asked_as_its_api_wants_when_objects_are_changed(account: Any) -> None:
    cluster = Cluster("h", 1, "sandbox")
    answers(account, 201)
    assert cluster.create("/x", {"kind": "Pod"}) is True
    cluster.apply("/x", {"kind": "Pod"})
    assert account.request.call_args.args[1] == "/x?fieldManager=worker&force=true"
    assert cluster.delete("/x", grace_s=0) is True
    assert json.loads(account.request.call_args.args[2])["gracePeriodSeconds"] == 0
    answers(account, 409, message="exists")
    assert cluster.create("/x", {}) is False
    answers(account, 404, message="no namespace")
    assert cluster.get("/x") is None
    assert cluster.delete("/x") is False
    with pytest.raises(RefusedError) as refused:
        cluster.create("/x", {})
    assert refused.value.status == 404


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (403, RefusedError),
        (401, UnavailableError),
        (429, UnavailableError),
        (500, UnavailableError),
    ],
)
def test_cluster_should_be_away_or_refuse_when_it_answers_with_an_error(
    account: Any, status: int, error: type[Exception]
) -> None:
    answers(account, status)
    with pytest.raises(error):
        Cluster("h", 1, "sandbox").get("/x")


@pytest.mark.parametrize("error", [OSError("x"), http.client.HTTPException("y"), ValueError("z")])
def test_cluster_should_be_away_when_it_does_not_answer(account: Any, error: Exception) -> None:
    account.request.side_effect = error
    with pytest.raises(UnavailableError, match="GET /x"):
        Cluster("h", 1, "sandbox").get("/x")


# Namespaces


@pytest.fixture
def cluster(mocker: Any) -> MagicMock:
    """A cluster in which everything goes well."""
    mocker.patch("worker.places.time.sleep")
    names = manifests.Names("sandbox", ID)
    answers = {
        names.path: {"metadata": {"labels": names.labels}},
        names.deployment: {"status": {"availableReplicas": 1}},
        "/api/v1/namespaces/sandbox/pods/worker-1": {
            "spec": {"containers": [{"image": "an-image"}]}
        },
    }
    cluster = MagicMock(namespace="sandbox")
    cluster.get.side_effect = answers.get
    cluster.answers = answers
    return cluster


def test_instance_should_get_a_namespace_when_its_size_is_dedicated(cluster: MagicMock) -> None:
    places.Namespaces(cluster, "worker-1").make(ID, "dedicated", 5)
    applied = {each.args[1]["kind"]: each.args[1] for each in cluster.apply.call_args_list}
    assert set(applied) == {"Service", "ResourceQuota", "NetworkPolicy", "Deployment"}
    pod = applied["Deployment"]["spec"]["template"]["spec"]
    assert pod["containers"][0]["image"] == "an-image"
    assert pod["securityContext"]["runAsNonRoot"] is True
    created = [each.args[1]["kind"] for each in cluster.create.call_args_list]
    assert created == ["Namespace", "RoleBinding"]


def test_instance_should_not_be_made_when_its_pod_is_not_ready_in_time(
    cluster: MagicMock,
) -> None:
    names = manifests.Names("sandbox", ID)
    cluster.answers[names.deployment] = {"status": {}}
    with pytest.raises(UnavailableError, match="not ready"):
        places.Namespaces(cluster, "worker-1").make(ID, "dedicated", 0)


def test_instance_should_be_refused_when_the_quota_is_exceeded(cluster: MagicMock) -> None:
    names = manifests.Names("sandbox", ID)
    condition = {"type": "ReplicaFailure", "message": "exceeded quota: x"}
    cluster.answers[names.deployment] = {"status": {"conditions": [condition]}}
    with pytest.raises(RefusedError, match="exceeded quota"):
        places.Namespaces(cluster, "worker-1").make(ID, "dedicated", 5)


def test_instance_should_be_refused_when_the_namespace_is_somebody_elses(
    cluster: MagicMock,
) -> None:
    names = manifests.Names("sandbox", ID)
    cluster.answers[names.path] = {"metadata": {"labels": {}}}
    namespaces = places.Namespaces(cluster, "worker-1")
    with pytest.raises(places.ForeignError):
        namespaces.make(ID, "dedicated", 5)
    namespaces.remove(ID)
    assert cluster.delete.call_args_list == [call(names.alias)]


@pytest.mark.parametrize(
    ("refusal", "kind"),
    [
        (RefusedError(422, "by the policy"), places.ForeignError),
        (RefusedError(403, "no rights"), RefusedError),
        (RefusedError(403, "x is being terminated"), UnavailableError),
        (RefusedError(404, "no namespace"), UnavailableError),
    ],
)
def test_namespace_should_not_be_claimed_when_the_cluster_refuses(
    cluster: MagicMock, refusal: RefusedError, kind: type[Exception]
) -> None:
    names = manifests.Names("sandbox", ID)

    def create(path: str, _: Any) -> None:
        if path == names.bindings:
            raise refusal

    cluster.create.side_effect = create
    with pytest.raises(kind):
        places.Namespaces(cluster, "worker-1").make(ID, "dedicated", 0)


def test_rights_should_be_waited_for_when_they_were_just_given(cluster: MagicMock) -> None:
    names = manifests.Names("sandbox", ID)
    own = {"metadata": {"labels": names.labels}}
    cluster.get.side_effect = [RefusedError(403, "not yet"), own]
    assert places.Namespaces(cluster, "worker-1")._look(names, 1e12) is own


def test_namespace_should_go_when_an_instance_is_removed(cluster: MagicMock) -> None:
    names = manifests.Names("sandbox", ID)
    places.Namespaces(cluster, "worker-1").remove(ID)
    assert cluster.delete.call_args_list == [call(names.alias), call(names.path)]
    cluster.delete.reset_mock()
    cluster.answers[names.path]["metadata"]["deletionTimestamp"] = "now"
    places.Namespaces(cluster, "worker-1").remove(ID)
    assert cluster.delete.call_args_list == [call(names.alias)]


def test_image_should_be_asked_for_when_the_pod_is_gone(cluster: MagicMock) -> None:
    with pytest.raises(UnavailableError, match="there is no pod"):
        places.Namespaces(cluster, "another")._image()


def test_places_should_be_racks_when_no_size_is_named(monkeypatch: Any, mocker: Any) -> None:
    monkeypatch.delenv("NAMESPACE_SIZES", raising=False)
    assert places.places() == {}
    assert isinstance(RACK.of(JOB), places.Rack)
    places.Rack().make(ID, "small", 1)
    places.Rack().remove(ID)
    monkeypatch.setenv("NAMESPACE_SIZES", "dedicated large")
    monkeypatch.setenv("HOSTNAME", "worker-1")
    mocker.patch("worker.places.Cluster.own")
    assert set(places.places()) == {"dedicated", "large"}
