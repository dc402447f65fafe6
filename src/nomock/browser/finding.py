"""Where the browser of this machine is."""

from __future__ import annotations

import shutil
from pathlib import Path

from nomock.errors import ConfigError

# As the packages of distributions, and Google's own, call it.
NAMES = (
    *("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"),
    *("chromium-headless-shell", "chrome", "microsoft-edge"),
)


def find_browser(setting: str | None) -> str | None:
    """Return the program that the setting names, else the first on the PATH; None for Playwright's.

    Raises ConfigError where the setting names none.
    """
    if setting is None:
        return next(filter(None, map(shutil.which, NAMES)), None)
    if found := shutil.which(str(Path(setting).expanduser())):
        return found
    raise ConfigError(
        "there is no such program",
        where="browser in [tool.nomock], or NOMOCK_BROWSER",
        seen=setting,
        todo="name the program of a Chromium, or name none",
    )
