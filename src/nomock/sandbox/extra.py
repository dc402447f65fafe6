"""The packages that only sandboxes need: the extra ``nomock[sandbox]``."""

from __future__ import annotations

from importlib.util import find_spec

from nomock.errors import ConfigError

_PACKAGES = ("lightkube", "kubernetes_validate")


def require_packages() -> None:
    """Raise ConfigError where the packages of the extra are not installed."""
    if missing := [name for name in _PACKAGES if find_spec(name) is None]:
        raise ConfigError(
            "the packages that sandboxes need are not installed",
            where="nomock[sandbox]",
            seen=f"missing: {', '.join(missing)}",
            todo="pip install 'nomock[sandbox]'",
        )
