#!/bin/sh
# Build the stand-in for registry:2 from Debian's package. usage: registry.sh TAG
set -eu
cd "$(dirname "$0")"
# shellcheck source=images/debian.sh
. ./debian.sh

# As upstream's: without a password, on the port that is published.
# shellcheck disable=SC2016 # $1 is the hook's: the root that is being made
after='
    set -e
    mkdir -p "$1/var/lib/registry"
    printf "%s\n" "version: 0.1" "storage:" "  filesystem: {rootdirectory: /var/lib/registry}" \
        "  delete: {enabled: true}" "http: {addr: \":5000\"}" >"$1/etc/docker/registry/config.yml"'

debian_image "$1" docker-registry --customize-hook="$after" \
    -- \
    'VOLUME ["/var/lib/registry"]' \
    'EXPOSE 5000' \
    'ENTRYPOINT ["docker-registry"]' \
    'CMD ["serve", "/etc/docker/registry/config.yml"]'
