"""The volumes of a pod, and where its container has them."""

from __future__ import annotations

from lightkube.models.core_v1 import (
    ConfigMapProjection,
    ConfigMapVolumeSource,
    EmptyDirVolumeSource,
    KeyToPath,
    PersistentVolumeClaimVolumeSource,
    ProjectedVolumeSource,
    SecretVolumeSource,
    Volume,
    VolumeMount,
    VolumeProjection,
)

from nomock.adapters.kubernetes import OURS, RECORDS
from nomock.sandbox.render.files import ConfigFiles
from nomock.sandbox.render.mounts import (
    Claim,
    Empty,
    Files,
    Mount,
    Records,
    SecretFile,
    Source,
)
from nomock.sandbox.render.naming import LONGEST, label_of
from nomock.sandbox.render.plan import ServicePlan
from nomock.sandbox.render.secrets import FILE_KEY

_EXECUTABLE = 0o755


def volumes_of(service: ServicePlan) -> tuple[list[Volume], list[VolumeMount]]:
    """Return the volumes of a service's pod, and its mounts in the order of the compose file."""
    volumes: dict[str, Volume] = {}
    mounts = []
    for number, mount in enumerate(service.mounts):
        name = _name(mount.source, number)
        volumes.setdefault(name, _volume(name, mount.source, service))
        mounts.append(_mount(name, mount))
    return list(volumes.values()), mounts


def _name(source: Source, number: int) -> str:
    """Return the name of a volume: one of its own, unless it is a named volume of the file."""
    match source:
        case Claim(volume):
            return _short(volume)
        case Empty(name=name) if name:
            return _short(name)
        case Empty(is_ours=True):
            return f"{OURS}{number}"
        case Records():
            return RECORDS
    return f"mount-{number}"


def _short(name: str) -> str:
    return f"volume-{label_of(name)}"[:LONGEST].rstrip("-")


def _volume(name: str, source: Source, service: ServicePlan) -> Volume:
    match source:
        case Files(maps, _, mode) if len(maps) == 1:
            (files,) = maps
            config = ConfigMapVolumeSource(name=files.name, items=_items(files, mode))
            return Volume(name=name, configMap=config)
        case Files(maps, _, mode):
            sources = [
                VolumeProjection(
                    configMap=ConfigMapProjection(name=files.name, items=_items(files, mode))
                )
                for files in maps
            ]
            return Volume(name=name, projected=ProjectedVolumeSource(sources=sources))
        case SecretFile(secret, _, mode):
            item = KeyToPath(key=FILE_KEY, path=FILE_KEY, mode=mode)
            named = SecretVolumeSource(secretName=secret, items=[item])
            return Volume(name=name, secret=named)
        case Claim(volume):
            claim = PersistentVolumeClaimVolumeSource(claimName=label_of(volume))
            return Volume(name=name, persistentVolumeClaim=claim)
        case Empty(medium=medium, size=size):
            empty = EmptyDirVolumeSource(medium=medium or None, sizeLimit=size)
            return Volume(name=name, emptyDir=empty)
        case Records():
            return Volume(name=name, emptyDir=EmptyDirVolumeSource())


def _items(files: ConfigFiles, mode: int | None) -> list[KeyToPath]:
    """Return the path of each key; a single file, which has none of its own, is at its key."""
    return [
        KeyToPath(
            key=key,
            path=path or key,
            mode=_EXECUTABLE if mode is None and files.contents[key].is_executable else mode,
        )
        for key, path in files.paths.items()
    ]


def _mount(name: str, mount: Mount) -> VolumeMount:
    sub_path = mount.sub_path
    match mount.source:
        case Files(maps, is_single) if is_single:
            (sub_path,) = maps[0].paths
        case SecretFile():
            sub_path = FILE_KEY
    return VolumeMount(
        name=name,
        mountPath=mount.target,
        readOnly=mount.read_only or isinstance(mount.source, Files | SecretFile) or None,
        subPath=sub_path,
    )
