"""A folder of records that cannot be written, on each Python: the service runs all the same."""

from __future__ import annotations

import pytest
from pythons import VERSIONS
from test_pythons import container, options  # noqa: F401 - fixtures
from test_spy import Container

CASES = {
    "it is missing": ("keep", [], "No such file or directory"),
    "it is not the user's": ("keep", ["--tmpfs", "/out:mode=755,uid=0"], "Permission denied"),
    "it is read-only": ("keep", ["--tmpfs", "/out:ro,mode=777"], "Read-only file system"),
    "it fills up": ("fill", ["--tmpfs", "/out:size=2m,mode=777"], "No space left on device"),
}


@pytest.mark.slow
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("case", CASES)
def test_the_service_should_run_and_say_one_line_when_its_folder_of_records_is_none(
    container: Container,  # noqa: F811 - the fixture
    options: list[str],  # noqa: F811 - the fixture
    case: str,
) -> None:
    what, mount, reason = CASES[case]
    out = [*mount, "--env", "NOMOCK_SPY_OUT=/out"]
    command = ("python3", "unwritable.py", what, "/out")
    ended = container.run(*command, options=[*options, *out])
    said = f"nomock-spy: not recording: cannot write to /out: {reason}\n"
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "served\n", said)


@pytest.mark.slow
@pytest.mark.parametrize("version", VERSIONS)
def test_the_service_should_run_and_say_one_line_when_its_folder_of_records_is_removed(
    container: Container,  # noqa: F811 - the fixture
    options: list[str],  # noqa: F811 - the fixture
) -> None:
    # In a folder that may be removed, as the place of a mount may not.
    command = "mkdir /tmp/out; NOMOCK_SPY_OUT=/tmp/out exec python3 unwritable.py remove /tmp/out"
    ended = container.run("sh", "-c", command, options=options)
    said = "nomock-spy: not recording: cannot write to /tmp/out: No such file or directory\n"
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "served\n", said)
