"""ConfigMaps: the files of this machine that services mount, and compose's configs."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator

from lightkube.resources.core_v1 import ConfigMap

from nomock.sandbox.render.files import ConfigFiles
from nomock.sandbox.render.kind import Kind
from nomock.sandbox.render.meta import of_sandbox
from nomock.sandbox.render.mounts import Files
from nomock.sandbox.render.naming import FROM
from nomock.sandbox.render.plan import Plan


class ConfigMaps(Kind):
    """One for each file or folder, whoever mounts it; their names tell their contents."""

    def of_sandbox(self, plan: Plan) -> Iterator[ConfigMap]:
        """Return the ConfigMaps."""
        found: dict[str, ConfigFiles] = {}
        for service in plan.services.values():
            for mount in service.mounts:
                if isinstance(mount.source, Files):
                    found |= {files.name: files for files in mount.source.maps}
        for name in sorted(found):
            meta = of_sandbox(plan.place, name, {FROM: found[name].origin})
            texts, bytes_ = _sorted(found[name])
            yield ConfigMap(
                metadata=meta, data=texts or None, binaryData=bytes_ or None, immutable=True
            )


def _sorted(files: ConfigFiles) -> tuple[dict[str, str], dict[str, str]]:
    texts, bytes_ = {}, {}
    for key, file in files.contents.items():
        try:
            texts[key] = file.content.decode()
        except UnicodeDecodeError:
            bytes_[key] = b64encode(file.content).decode()
    return texts, bytes_
