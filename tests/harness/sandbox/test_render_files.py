"""What becomes of what a service mounts: files, volumes, secrets."""

from __future__ import annotations

import os
import socket
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from rendering import rendered, volume_at, web

from nomock.errors import NotPromotableError


def bind(source: Path, target: str, *, read_only: bool = True) -> dict[str, Any]:
    """An item of `volumes`, as compose resolves it."""
    mode = {"read_only": True} if read_only else {}
    create = {"bind": {"create_host_path": True}}
    return {"type": "bind", "source": str(source), "target": target, **mode, **create}


def test_a_file_should_be_a_config_map_at_its_path_when_a_service_mounts_it(tmp_path: Path) -> None:
    file = tmp_path / "conf" / "app.ini"
    file.parent.mkdir()
    file.write_text("key = value\n", encoding="utf-8")
    found = web(tmp_path, volumes=[bind(file, "/etc/app.ini")])
    (config,) = found.of_kind("ConfigMap")
    name = config["metadata"]["name"]
    assert name.startswith("app-ini-")
    assert config["data"] == {"app.ini": "key = value\n"}
    assert config["immutable"] is True
    assert config["metadata"]["annotations"]["nomock/from"] == "conf/app.ini"
    assert volume_at(found, "/etc/app.ini") == (
        {"configMap": {"name": name, "items": [{"key": "app.ini", "path": "app.ini"}]}},
        {"readOnly": True, "subPath": "app.ini"},
    )
    assert found.lost == []


def test_a_folder_should_be_one_config_map_with_all_paths_when_a_service_mounts_it(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "init"
    (folder / "deep" / "__pycache__").mkdir(parents=True)
    (folder / "deep" / "__pycache__" / "a.pyc").write_bytes(b"nobody's")
    (folder / "deep" / "a b.sql").write_text("select 1", encoding="utf-8")
    (folder / "deep_a_b.sql").write_text("select 2", encoding="utf-8")
    (folder / "run.sh").write_text("#!/bin/sh\n", encoding="utf-8")
    (folder / "run.sh").chmod(0o755)
    (folder / "logo.png").write_bytes(b"\x89PNG\xff")
    found = web(tmp_path, volumes=[bind(folder, "/init")])
    (config,) = found.of_kind("ConfigMap")
    assert config["data"] == {
        "1-deep_a_b.sql": "select 2",
        "deep_a_b.sql": "select 1",
        "run.sh": "#!/bin/sh\n",
    }
    assert config["binaryData"] == {"logo.png": b64encode(b"\x89PNG\xff").decode()}
    volume, mount = volume_at(found, "/init")
    assert volume["configMap"]["items"] == [
        {"key": "deep_a_b.sql", "path": "deep/a b.sql"},
        {"key": "1-deep_a_b.sql", "path": "deep_a_b.sql"},
        {"key": "logo.png", "path": "logo.png"},
        {"key": "run.sh", "path": "run.sh", "mode": 0o755},
    ]
    assert mount == {"readOnly": True}


def test_a_config_map_should_be_shared_when_services_mount_the_same_file(tmp_path: Path) -> None:
    (tmp_path / "shared.ini").write_text("one", encoding="utf-8")
    mounts = {"volumes": [bind(tmp_path / "shared.ini", "/shared.ini")]}
    found = rendered(tmp_path, {"web": mounts, "worker": mounts})
    assert len(found.of_kind("ConfigMap")) == 1
    before = found.of_kind("ConfigMap")[0]["metadata"]["name"]
    (tmp_path / "shared.ini").write_text("two", encoding="utf-8")
    after = rendered(tmp_path, {"web": mounts}).of_kind("ConfigMap")[0]["metadata"]["name"]
    assert after != before  # so that the pods are replaced


def test_a_folder_should_be_several_config_maps_when_one_has_no_room(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    for name in "abc":
        (folder / name).write_bytes(name.encode() * 500_000)
    found = web(tmp_path, volumes=[bind(folder, "/data")])
    volume, _ = volume_at(found, "/data")
    paths = [
        [item["path"] for item in source["configMap"]["items"]]
        for source in volume["projected"]["sources"]
    ]
    assert paths == [["a"], ["b"], ["c"]]
    names = [source["configMap"]["name"] for source in volume["projected"]["sources"]]
    assert sorted(names) == sorted(c["metadata"]["name"] for c in found.of_kind("ConfigMap"))


def test_a_file_should_be_refused_with_its_size_when_a_config_map_has_no_room(
    tmp_path: Path,
) -> None:
    file = tmp_path / "model.bin"
    file.write_bytes(b"x" * (3 << 19))
    with pytest.raises(NotPromotableError) as caught:
        web(tmp_path, volumes=[bind(file, "/model.bin")])
    assert str(caught.value) == (
        f"{file}: this file is too large for a ConfigMap: 1.5 MiB, and it has room for 1 MiB\n"
        "-> copy it into the image; or say in x-nomock what becomes of this mount, empty or none: "
        "nomock docs sandbox"
    )


def test_a_folder_should_be_refused_with_its_largest_file_when_it_is_too_large(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "models"
    folder.mkdir()
    for number in range(9):
        (folder / str(number)).write_bytes(b"x" * (1 << 20))
    (folder / "0").write_bytes(b"x" * ((1 << 20) + 9))
    with pytest.raises(NotPromotableError) as caught:
        web(tmp_path, volumes=[bind(folder, "/models")])
    assert caught.value.what == "this folder is too large to be mounted: more than 8.0 MiB"
    assert caught.value.seen == "the largest file so far: 0, 1.0 MiB"
    for said, volumes in (("empty", 1), ("none", 0)):
        found = rendered(
            tmp_path,
            {"web": {"volumes": [bind(folder, "/models")]}},
            **{"x-nomock": {"mounts": {"web": {"/models": said}}}},
        )
        assert len(found.pod().get("volumes", [])) == volumes
        assert found.lost == []


def test_a_mount_should_be_left_to_the_image_when_that_is_built_from_it(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "main.py").write_text("print()", encoding="utf-8")
    found = web(
        tmp_path,
        build={"context": str(tmp_path / "app"), "dockerfile": "Dockerfile"},
        volumes=[bind(tmp_path / "app", "/app", read_only=False)],
    )
    assert "volumes" not in found.pod()
    assert found.meaning("volumes") == (
        "the image is built from this folder: the image's own files"
    )
    # Of a part of that folder nobody knows where the image has it.
    part = bind(tmp_path / "app", "/etc/app")
    found = web(tmp_path, build={"context": str(tmp_path)}, volumes=[part])
    assert "configMap" in found.pod()["volumes"][0]
    assert found.lost == []


def test_a_mount_should_be_refused_by_its_name_when_it_cannot_be_read(tmp_path: Path) -> None:
    # As in a folder that this user may not look into; to root none is closed.
    volume = bind(tmp_path / ("x" * 300), "/x")
    with pytest.raises(NotPromotableError) as caught:
        web(tmp_path, volumes=[volume])
    assert caught.value.what == "what a service mounts cannot be read"
    assert caught.value.where == volume["source"]
    assert caught.value.seen.startswith("[Errno 36] File name too long")


def test_what_services_write_to_should_be_told_when_it_is_of_this_machine(
    tmp_path: Path,
) -> None:
    for name in ("full", "empty", ".nomock/coverage"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "full" / "a").write_text("a", encoding="utf-8")
    (tmp_path / ".nomock" / "coverage" / "old").write_text("old", encoding="utf-8")
    names = ["full", "empty", ".nomock/coverage", "missing"]
    volumes = [bind(tmp_path / name, f"/{name}", read_only=False) for name in names]
    found = web(tmp_path, volumes=volumes)
    kinds = {name: list(volume_at(found, f"/{name}")[0]) for name in names}
    assert kinds == {
        "full": ["configMap"],
        "empty": ["emptyDir"],
        ".nomock/coverage": ["emptyDir"],
        "missing": ["emptyDir"],
    }
    told = [(line.value, line.why) for line in found.rendered.report.lines]
    assert [why for _, why in told] == [
        "files come from a ConfigMap",
        "there is nothing at its source",
    ]


def test_a_mount_should_be_left_out_when_it_is_the_machines_own(tmp_path: Path) -> None:
    other = tmp_path / "other"
    project = tmp_path / "project"
    other.mkdir()
    project.mkdir()
    (other / "home").write_text("mine", encoding="utf-8")
    here = Path.cwd()
    listening = socket.socket(socket.AF_UNIX)
    try:
        os.chdir(other)  # the path of a socket may be no longer than 107 bytes
        listening.bind("engine.sock")
    finally:
        os.chdir(here)
    with listening:
        volumes = [bind(other, "/home"), bind(other / "engine.sock", "/run/engine.sock")]
        found = web(project, volumes=volumes)
    assert "volumes" not in found.pod()
    assert [line.why for line in found.rendered.report.lines] == [
        "a folder of this machine",
        "a socket of this machine",
    ]
