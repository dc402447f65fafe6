"""The certificates of the local node, as clients with strict rules (Python 3.13) check them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[4] / "images/kubernetes/node/make-certificates"


def made(folder: Path) -> Path:
    """Make them, as a node does at each start."""
    subprocess.run(["bash", SCRIPT, folder, "192.0.2.1"], check=True)
    return folder


def verified(folder: Path, name: str) -> str:
    """Return what OpenSSL says of a certificate by the rules of RFC 5280."""
    verify = ["openssl", "verify", "-x509_strict", "-CAfile", "ca.crt", f"{name}.crt"]
    done = subprocess.run(verify, cwd=folder, capture_output=True, text=True, check=False)
    return (done.stdout + done.stderr).strip()


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder as a node has it: its keys take a second or two of a CPU."""
    return made(tmp_path_factory.mktemp("node"))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["apiserver", "admin", "kubelet"])
def test_a_certificate_should_be_valid_when_a_strict_client_checks_it(
    node: Path, name: str
) -> None:
    assert verified(node, name) == f"{name}.crt: OK"


def test_certificates_should_be_made_anew_once_when_an_older_node_made_them(
    node: Path, tmp_path: Path
) -> None:
    old = tmp_path / "old"
    shutil.copytree(node, old)
    authority = ["openssl", "req", "-x509", "-new", "-key", "ca.key", "-subj", "/CN=nomock-local"]
    subprocess.run([*authority, "-out", "ca.crt"], cwd=old, check=True)
    assert "key usage" in verified(old, "admin")

    made(old)
    assert verified(old, "admin") == "admin.crt: OK"
    assert (old / "admin.kubeconfig").exists()
    admin = (old / "admin.crt").read_bytes()
    assert (made(old) / "admin.crt").read_bytes() == admin
