"""The environment of containers in rendered manifests of Kubernetes, before they are applied."""

from nomock.contracts.manifests.documents import Document, documents_in
from nomock.contracts.manifests.findings import manifest_findings

__all__ = ["Document", "documents_in", "manifest_findings"]
