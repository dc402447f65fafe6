"""What goes wrong with contracts between services."""

from __future__ import annotations

from nomock.errors.base import NomockError


class ContractError(NomockError, AssertionError):
    """A service, or the database, does not keep what it promises; ``seen`` has each breach."""


class OpenApiDocumentError(NomockError):
    """A service has no OpenAPI document where it is looked for, or it is not a valid one."""

    def __init__(self, where: str, seen: str) -> None:
        todo = "see whether it is served there: path=, or file= of contracts.openapi"
        super().__init__("no OpenAPI document can be read", where=where, seen=seen, todo=todo)


class UnreadableManifestError(NomockError):
    """What was given as rendered manifests are not objects of Kubernetes."""

    def __init__(self, where: str, seen: str, *, is_template: bool = False) -> None:
        """``where``: the file, and the line of what is none."""
        todo = "give what `kubectl kustomize`, `helm template` or `nomock promote --render` writes"
        if is_template:
            todo = "render the template first: helm template … | nomock contracts --manifests -"
        what = "no rendered manifests can be read"
        super().__init__(what, where=where, seen=seen, todo=todo)
