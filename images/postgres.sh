#!/bin/sh
# Build the stand-in for postgres:17 from Debian's package. usage: postgres.sh TAG
set -eu
cd "$(dirname "$0")"
# shellcheck source=images/debian.sh
. ./debian.sh

# User and group have the upstream image's numbers, so that a volume fits both images.
# shellcheck disable=SC2016 # $1 is the hook's: the root that is being made
before='
    set -e
    mkdir -p "$1/etc/postgresql-common/createcluster.d"
    echo "create_main_cluster = false" >"$1/etc/postgresql-common/createcluster.d/none.conf"
    echo "postgres:x:999:" >>"$1/etc/group"
    echo "postgres:x:999:999:PostgreSQL:/var/lib/postgresql:/bin/bash" >>"$1/etc/passwd"'
# The upstream locale, since it decides how text is sorted.
# shellcheck disable=SC2016
after='
    set -e
    chroot "$1" localedef -i en_US -c -f UTF-8 -A /usr/share/locale/locale.alias en_US.UTF-8
    rm -rf "$1/usr/share/i18n"
    sed -i "s/^#listen_addresses = .*/listen_addresses = '"'*'"'/" "$1/usr/share/postgresql/17/postgresql.conf.sample"
    grep -q "^listen_addresses" "$1/usr/share/postgresql/17/postgresql.conf.sample"
    mkdir -p "$1/docker-entrypoint-initdb.d"
    chroot "$1" install -d -o postgres -g postgres -m 1777 /var/lib/postgresql/data
    chroot "$1" install -d -o postgres -g postgres -m 3777 /run/postgresql
    install -m 0755 postgres-entrypoint.sh "$1/usr/local/bin/docker-entrypoint.sh"'

debian_image "$1" postgresql-17,locales \
    --dpkgopt='path-include=/usr/share/locale/locale.alias' \
    --skip=cleanup/run --essential-hook="$before" --customize-hook="$after" \
    -- \
    'ENV PGDATA=/var/lib/postgresql/data PG_MAJOR=17 LANG=en_US.utf8 PATH=/usr/lib/postgresql/17/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' \
    'VOLUME ["/var/lib/postgresql/data"]' \
    'EXPOSE 5432' \
    'STOPSIGNAL SIGINT' \
    'ENTRYPOINT ["docker-entrypoint.sh"]' \
    'CMD ["postgres"]'
