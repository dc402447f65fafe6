"""Each test can fail: a one-line defect in a service turns the test that is named in it red.

A defect is a patch whose first line says `# turns red: <test id>`. All are tried on one stack of
a copy of the repository: nomock rebuilds just the service that a patch touches.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
PATCHES = sorted(HERE.glob("*.patch"))


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """A copy of the checkout with a stack of its own; both are gone afterwards."""
    copy = tmp_path_factory.mktemp("defects")
    tracked = subprocess.run(
        ["git", "-C", ROOT, "ls-files", "-z"], capture_output=True, text=True, check=True
    ).stdout.split("\0")
    for name in filter(None, tracked):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, copy / name)
    chosen = [line for line in (ROOT / ".env").read_text().splitlines() if "_IMAGE=" in line]
    project = f"nomock-defects-{uuid4().hex[:8]}"
    (copy / ".env").write_text("\n".join([*chosen, f"COMPOSE_PROJECT_NAME={project}\n"]))
    try:
        yield copy
    finally:
        _down(copy, "--rmi", "local")


def _down(copy, *more):
    # Orphans: the backend of those that are seen in traces comes by another file.
    down = ["docker", "compose", "down", "--volumes", "--remove-orphans", *more]
    subprocess.run(down, cwd=copy, check=True, capture_output=True)


def _pytest(copy, test):
    more = ["--nomock-traces"] if "/test_traces.py" in test else []
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", test, *more]
    # The outer run's own variables would make the inner one take itself for a worker.
    environ = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "COMPOSE_"))}
    return subprocess.run(
        command, cwd=copy, env=environ, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("patch", PATCHES, ids=lambda patch: patch.stem)
def test_suite_should_turn_red_when_a_service_has_the_defect(copy, patch):
    text = patch.read_text()
    test = re.match(r"# turns red: (.+)", text).group(1)
    # A migration that is applied already is not read again, and what it made stays.
    changes_the_schema = "/migrations/" in text
    if changes_the_schema:
        _down(copy)
    subprocess.run(["git", "apply", patch], cwd=copy, check=True)
    try:
        done = _pytest(copy, test)
    finally:
        subprocess.run(["git", "apply", "--reverse", patch], cwd=copy, check=True)
        if changes_the_schema:
            _down(copy)
    # 1 is "a test failed": a stack that does not start (6) or a missing test (4) is no proof.
    assert done.returncode == 1, done.stdout[-4000:]
    assert " failed" in done.stdout.splitlines()[-1]


def test_every_defect_should_name_a_test_when_there_are_fifteen_or_more():
    assert len(PATCHES) >= 15
    assert all(re.match(r"# turns red: tests/", p.read_text()) for p in PATCHES)
