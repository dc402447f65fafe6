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
