"""Rendered manifests as objects, each of which knows the line that something of it stands in."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from nomock.errors import UnreadableManifestError

STDIN = "-"
_SUFFIXES = {".yaml", ".yml", ".json"}


@dataclass(frozen=True)
class Document:
    """One object: what ``kubectl apply`` would send."""

    content: Mapping[str, Any]
    file: str
    """Its file, as the user would name it."""
    node: yaml.Node

    @property
    def kind(self) -> str:
        """Deployment, Secret, and so on."""
        return str(self.content["kind"])

    @property
    def name(self) -> str:
        """Its name; "" of an object that gets one when it is made."""
        return str(mapping(self.content, "metadata").get("name") or "")

    @property
    def namespace(self) -> str:
        """Its namespace; "" where that is the one of whoever applies it."""
        return str(mapping(self.content, "metadata").get("namespace") or "")

    def place(self, *path: str | int) -> str:
        """Return file and line of what a path leads to, or of the last part of it that is there."""
        line, node = self.node.start_mark.line, self.node
        for part in path:
            found = _step(node, part)
            if found is None:
                break
            line, node = found
        return f"{self.file}:{line + 1}"


def mapping(content: Any, *path: str) -> Mapping[str, Any]:
    """Return the mapping that a path of keys leads to; an empty one where there is none."""
    for part in path:
        content = content.get(part) if isinstance(content, dict) else None
    return content if isinstance(content, dict) else {}


def items(content: Any, key: str) -> list[tuple[int, Mapping[str, Any]]]:
    """Return the mappings of a list, each with its number; none where there is no list."""
    found = content.get(key) if isinstance(content, dict) else None
    numbered = enumerate(found if isinstance(found, list) else [])
    return [(number, item) for number, item in numbered if isinstance(item, dict)]


def documents_in(names: Iterable[str]) -> list[Document]:
    """Return the objects of files, folders and, by the name ``-``, of standard input.

    Raises UnreadableManifestError where there are none, or something else is among them.
    """
    names = list(names)
    found = [document for name in names for document in _in_one(name)]
    if not found:
        raise UnreadableManifestError(", ".join(map(_shown, names)), "there is no object in it")
    return found


def _in_one(name: str) -> Iterator[Document]:
    if name == STDIN:
        yield from _in_text(sys.stdin.read(), _shown(name))
        return
    for path in _files(Path(name)):
        shown = Path(os.path.normpath(path)).as_posix()
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UnreadableManifestError(shown, str(error)) from error
        yield from _in_text(text, shown)


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    below = (found for found in path.rglob("*") if found.suffix in _SUFFIXES)
    return sorted(p for p in below if not any(x.startswith(".") for x in p.relative_to(path).parts))


def _shown(name: str) -> str:
    return "stdin" if name == STDIN else name


# libyaml's loader where PyYAML was built with it, which only the running program knows.
class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Reads what Kubernetes reads: no dates, as that has none, and ``=`` is a text."""


_OTHERS = {"tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:value"}
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag not in _OTHERS]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _in_text(text: str, file: str) -> Iterator[Document]:
    loader = _Loader(text)
    try:
        while loader.check_node():
            node = loader.get_node()
            yield from _objects(loader.construct_document(node), node, file)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{file}:{mark.line + 1}" if mark else file
        seen = str(getattr(error, "problem", None) or "it is no YAML")  # without the line itself
        raise UnreadableManifestError(where, seen, is_template="{{" in text) from error
    except (RecursionError, ValueError) as error:
        raise UnreadableManifestError(file, f"it is no YAML: {type(error).__name__}") from error
    finally:
        loader.dispose()


def _objects(content: Any, node: yaml.Node, file: str) -> Iterator[Document]:
    """Yield the object of a document, or those of a list; nothing of an empty one."""
    if content is None:
        return
    where = f"{file}:{node.start_mark.line + 1}"
    if not isinstance(content, dict) or not content.get("kind"):
        raise UnreadableManifestError(where, "it is no object of Kubernetes: it has no kind")
    if content["kind"] == "Kustomization":
        raise UnreadableManifestError(where, "it is a Kustomization, which is not rendered yet")
    if str(content["kind"]).endswith("List") and isinstance(content.get("items"), list):
        found = _step(node, "items")
        for number, item in enumerate(content["items"]):
            inner = _step(found[1], number) if found else None
            yield from _objects(item, inner[1] if inner else node, file)
        return
    yield Document(content, file, node)


def _step(node: yaml.Node, part: str | int) -> tuple[int, yaml.Node] | None:
    """Return the line of a key, or of an item, and its value."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == part:
                return key.start_mark.line, value
    elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        inner = node.value[part]
        return inner.start_mark.line, inner
    return None
