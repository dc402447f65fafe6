#!/bin/sh
# Build the stand-in for python:3.13-slim: Debian's Python with pip and venv. usage: python.sh TAG
# A tag that names another version (nomock/python:3.9) gets the Debian whose python3 that is.
set -eu
cd "$(dirname "$0")"
# shellcheck source=images/debian.sh
. ./debian.sh

tag=$1
set --
case ${tag##*:} in
    3.9) DEBIAN_SUITE=bullseye ;;
    3.11) DEBIAN_SUITE=bookworm ;;
    3.14)
        DEBIAN_SUITE=sid
        # Its index is good for a week, and a mirror that is not renewed daily may be behind.
        set -- --aptopt='Acquire::Check-Valid-Until "false"'
        ;;
esac

# The host's certificate authorities, so that pip in a build works where TLS is inspected. They stand
# both in the bundle and where a later update-ca-certificates of the image finds them.
HOST_CA_BUNDLE=$(host_ca_bundle)
export HOST_CA_BUNDLE DEBIAN_SUITE
# shellcheck disable=SC2016 # $1 is the hook's: the root that is being made
trust_host='
    set -e
    [ -n "$HOST_CA_BUNDLE" ] || exit 0
    for authority in /usr/local/share/ca-certificates/*.crt; do
        [ ! -r "$authority" ] || cp "$authority" "$1/usr/local/share/ca-certificates/"
    done
    cp "$HOST_CA_BUNDLE" "$1/etc/ssl/certs/ca-certificates.crt"'
# As in the upstream image: `python`, and a pip that may install beside the distribution and upgrade
# itself. It cannot replace Debian's own pip, which lacks the list of its files, so the same one is
# installed once more in front of it, where Debian has a wheel of it that stands alone.
# shellcheck disable=SC2016
like_upstream='
    set -e
    ln -s python3 "$1/usr/bin/python"
    rm -f "$1"/usr/lib/python3*/EXTERNALLY-MANAGED
    if [ "$DEBIAN_SUITE" != bullseye ]; then
        chroot "$1" python3 -m pip install --quiet --root-user-action ignore --ignore-installed \
            --no-index --find-links /usr/share/python-wheels pip
    fi'

debian_image "$tag" python3,python3-venv,python3-pip,ca-certificates "$@" \
    --customize-hook="$trust_host" --customize-hook="$like_upstream" \
    -- \
    'ENV PIP_CERT=/etc/ssl/certs/ca-certificates.crt SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt' \
    'CMD ["python3"]'
