#!/bin/sh
# Have a browser for the tests that open pages (docs/browser.md), where this machine is a Debian that
# this user may install on. Anywhere else, and where that fails, they are skipped with the reason.
set -eu

# shellcheck source=images/debian.sh
. "$(dirname "$0")/debian.sh"

for name in chromium chromium-browser google-chrome google-chrome-stable chromium-headless-shell; do
    if command -v "$name" >/dev/null 2>&1; then
        exit 0
    fi
done
# Ubuntu's package of that name is a snap, which does not run in a container.
if [ "$(os_release ID)" = debian ] && [ "$(id -u)" = 0 ]; then
    apt_install chromium-headless-shell || step "no browser: its tests are skipped"
fi
