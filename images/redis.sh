#!/bin/sh
# Build the stand-in for redis:8 from Debian's package. usage: redis.sh TAG
set -eu
cd "$(dirname "$0")"
# shellcheck source=images/debian.sh
. ./debian.sh

# redis-server without a configuration file refuses clients from other containers (protected mode);
# the upstream image has that off too, for the same reason.
# shellcheck disable=SC2016 # $1 is the hook's: the root that is being made
after='
    set -e
    chroot "$1" install -d -o redis -g redis -m 1777 /data
    install -m 0755 redis-entrypoint.sh "$1/usr/local/bin/docker-entrypoint.sh"'

debian_image "$1" redis-server,redis-tools --customize-hook="$after" \
    -- \
    'VOLUME ["/data"]' \
    'WORKDIR /data' \
    'EXPOSE 6379' \
    'USER redis' \
    'ENTRYPOINT ["docker-entrypoint.sh"]' \
    'CMD ["redis-server"]'
