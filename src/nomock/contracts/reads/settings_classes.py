"""Classes of pydantic-settings: which variables their fields are.

https://docs.pydantic.dev/latest/concepts/pydantic_settings/
"""

from __future__ import annotations

from collections.abc import Iterator

from nomock.contracts.reads.kinds import TEXT, of_annotation
from nomock.contracts.reads.lookup import Lookup
from nomock.contracts.reads.model import ClassSeen, Module, Read

_BASES = {
    "pydantic_settings.BaseSettings",
    "pydantic.BaseSettings",
    "pydantic.v1.BaseSettings",
    "pydantic_settings.main.BaseSettings",
}
_DEEPEST = 6


def is_settings(lookup: Lookup, module: Module, seen: ClassSeen, left: int = _DEEPEST) -> bool:
    """Tell whether a class reads its fields from the environment."""
    return any(name in _BASES for _, _, name in _ancestors(lookup, module, seen, left))


def fields_of(lookup: Lookup, module: Module, seen: ClassSeen) -> Iterator[Read]:
    """Yield the variables of a class of settings, those of its bases too."""
    line = [(module, seen), *((m, s) for m, s, _ in _ancestors(lookup, module, seen) if m and s)]
    config: dict[str, str] = {}
    for _, one in reversed(line):
        config |= one.config
    told: set[str] = set()
    for owner, one in line:
        for field in one.fields:
            if field.name in told or field.name == "model_config":
                continue
            told.add(field.name)
            names = field.aliases or (config.get("env_prefix", "") + field.name,)
            nested = config.get("env_nested_delimiter", "")
            is_case_sensitive = config.get("case_sensitive") == "True"
            kind = of_annotation(field.annotation)
            for name in names:
                shown = name if is_case_sensitive or field.aliases else name.upper()
                yield Read(
                    shown,
                    str(owner.path),
                    field.line,
                    # Any of several will do; one of a file of its own may be there, too.
                    is_required=not field.has_default
                    and len(names) == 1
                    and not nested
                    and not config.get("secrets_dir"),
                    kind=kind if not nested else TEXT,
                    ignores_case=not is_case_sensitive,
                )
                if nested:
                    pattern = f"{shown}{nested}.*"
                    yield Read(
                        pattern,
                        str(owner.path),
                        field.line,
                        is_required=False,
                        is_pattern=True,
                        ignores_case=True,
                    )


def env_files(lookup: Lookup, module: Module, seen: ClassSeen) -> list[str]:
    """Return the files of variables that a class reads beside the environment."""
    line = [seen, *(s for _, s, _ in _ancestors(lookup, module, seen) if s)]
    return [name for one in line for name in one.config.get("env_file", "").split()]


def _ancestors(
    lookup: Lookup, module: Module, seen: ClassSeen, left: int = _DEEPEST
) -> Iterator[tuple[Module | None, ClassSeen | None, str]]:
    """Yield the bases of a class, in the order of the source: each with its full name."""
    for base in seen.bases if left else ():
        yield None, None, lookup.origin(module, base)
        found = lookup.find(module, base)
        if found and isinstance(found[1], ClassSeen) and found[1] is not seen:
            yield found[0], found[1], ""
            yield from _ancestors(lookup, found[0], found[1], left - 1)
