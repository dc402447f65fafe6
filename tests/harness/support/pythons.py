"""Images with each Python that the spy is tested on; made when the first test needs one."""

from __future__ import annotations

import functools
import platform
from collections.abc import Callable
from pathlib import Path

from places import ROOT

from nomock.coverage.overlay.wheels import provide
from nomock.images import ImageSpec, resolve_image

ROOT = ROOT
TracerOptions = Callable[[str], list[str]]
"""What the fixture `tracer_options` is: from a version to options, as `tracer_options` here."""
VERSIONS = ("3.9", "3.11", "3.13", "3.14")


@functools.cache
def image_of(version: str) -> str:
    """Return an image with this Python: here, pulled, or built from a Debian that has it.

    As for the stack's images, another one can be chosen: ``PYTHON_3_9_IMAGE=ours/python:3.9``.
    Workers of xdist that need one at the same time wait for the first.
    """
    wanted = ImageSpec(
        variable=f"PYTHON_{version.replace('.', '_')}_IMAGE",
        upstream=f"python:{version}-slim",
        stand_in=f"nomock/python:{version}",
        builder="python.sh",
    )
    return resolve_image(ROOT, wanted, lambda line: None).image


def tracer_options(version: str, folder: Path) -> list[str]:
    """Return options of ``docker run`` that put coverage.py's tracer where this Python needs it.

    It is made in a folder, as ``nomock overlay`` makes it; from 3.12 on none is needed.
    """
    tag = version.replace(".", "")
    if int(tag) >= 312:
        return []
    wheels = folder / "wheels" / f"cp{tag}"
    provide(f"cp{tag}", "glibc", platform.machine(), wheels)
    mount = f"type=bind,source={wheels},target=/nomock-spy-wheels,readonly"
    return ["--mount", mount, "--env", "NOMOCK_SPY_WHEELS=/nomock-spy-wheels"]
