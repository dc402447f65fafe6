"""What the spy patches in other packages, where these are of versions that it does not know."""

from __future__ import annotations

from pathlib import Path

import pytest
from pythons import image_of
from test_spy import Container, read_all

# Each module that is patched, without what the spy looks for in it. The real ones, which this
# process has loaded, stay as they are.
PATCHES_ALL = """
from types import ModuleType
from nomock_spy.imports import PATCHES, _patch

class Changed(ModuleType):
    def __getattr__(self, name):
        if name[:2] == "__" or {is_empty}:
            raise AttributeError(f"{{self.__name__}} has no {{name}}")
        return type(name, (), {{}})

for name in PATCHES:
    _patch(Changed(name))
print(*PATCHES)
"""
# What a module has a function or an instance for is only found out where it is used.
FOUND_OUT_LATER = {
    *("arq.connections", "grpc._server", "multiprocessing.util"),
    "sanic.server.protocols.http_protocol",
}


@pytest.mark.parametrize(
    ("is_empty", "not_yet"), [(True, set()), (False, FOUND_OUT_LATER)], ids=["module", "classes"]
)
def test_each_hook_should_tell_that_it_is_of_no_use_when_its_package_has_other_internals(
    data_dir: Path, is_empty: bool, not_yet: set[str]
) -> None:
    container = Container(image_of("3.13"), data_dir)
    source = "import sys; sys.path.append('/nomock-spy')" + PATCHES_ALL.format(is_empty=is_empty)
    ended = container.run("python3", "-c", source)
    assert ended.returncode == 0, ended.stderr
    names = set(ended.stdout.split())
    assert len(names) > 30
    (process,) = read_all(data_dir).processes
    start = "lost who uses "
    told = {what.removeprefix(start).partition(":")[0] for what in process.lost}
    assert told == names - not_yet
    assert all(what.startswith(start) for what in process.lost)
