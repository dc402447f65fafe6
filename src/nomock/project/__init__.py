"""A compose project as it should be: resolved by compose, with a digest of all it is made of."""

from __future__ import annotations

from nomock.project.build_context import Sources, build_folders, context_files
from nomock.project.model import Project, ServiceConfig
from nomock.project.place import place
from nomock.project.resolving import call_of, project_of, resolve
from nomock.project.store import Store, write_privately
from nomock.project.told import what_changed

__all__ = [
    "Project",
    "ServiceConfig",
    "Sources",
    "Store",
    "build_folders",
    "call_of",
    "context_files",
    "place",
    "project_of",
    "resolve",
    "what_changed",
    "write_privately",
]
