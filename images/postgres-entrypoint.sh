#!/bin/bash
# Start PostgreSQL as the official image does, as far as a stack can tell: the data directory is made
# on the first start from POSTGRES_USER, POSTGRES_PASSWORD, POSTGRES_DB and /docker-entrypoint-initdb.d.
set -euo pipefail

[ "${1:0:1}" != - ] || set -- postgres "$@"
[ "${1:-}" = postgres ] || exec "$@"

if [ "$(id -u)" = 0 ]; then
    # A volume or tmpfs may belong to root; only this needs it.
    install -d -m 0700 -o postgres -g postgres "$PGDATA"
    install -d -m 3777 -o postgres -g postgres /run/postgresql
    chown -R postgres:postgres "$PGDATA"
    exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" "$@"
fi

# NAME or the content of the file that NAME_FILE names (a compose secret).
setting() {
    local name=$1 from=${1}_FILE
    if [ -n "${!from:-}" ]; then
        if [ -n "${!name:-}" ]; then
            echo "error: both $name and $from are set; set one" >&2
            exit 1
        fi
        printf '%s' "$(<"${!from}")"
    else
        printf '%s' "${!name:-${2:-}}"
    fi
}

run_sql() {
    psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --no-password "$@"
}

initialise() {
    POSTGRES_USER=$(setting POSTGRES_USER postgres)
    POSTGRES_PASSWORD=$(setting POSTGRES_PASSWORD)
    POSTGRES_DB=$(setting POSTGRES_DB "$POSTGRES_USER")
    export POSTGRES_USER POSTGRES_PASSWORD POSTGRES_DB
    local method=${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}
    if [ -z "$POSTGRES_PASSWORD" ] && [ "$method" != trust ]; then
        echo "error: the database has no superuser password; set POSTGRES_PASSWORD (not empty)," \
            "or POSTGRES_HOST_AUTH_METHOD=trust to let anybody in" >&2
        exit 1
    fi
    # As upstream: inside the container anybody is trusted, from elsewhere the method decides.
    local arguments
    read -ra arguments <<<"${POSTGRES_INITDB_ARGS:-}"
    initdb --username="$POSTGRES_USER" --pwfile=<(printf '%s\n' "$POSTGRES_PASSWORD") \
        --auth=trust "${arguments[@]}" --pgdata="$PGDATA"
    printf '\nhost all all all %s\n' "$method" >>"$PGDATA/pg_hba.conf"

    # Reachable by socket only, until all is there: nobody is served a half-made database.
    export PGHOST=/run/postgresql
    pg_ctl --pgdata="$PGDATA" --wait --silent --options="-c listen_addresses=''" start
    if [ "$POSTGRES_DB" != postgres ]; then
        run_sql --dbname postgres --set db="$POSTGRES_DB" <<<'CREATE DATABASE :"db";'
    fi
    local file
    for file in /docker-entrypoint-initdb.d/*; do
        case $file in
            *.sh)
                echo "initdb.d: $file"
                # shellcheck disable=SC1090
                if [ -x "$file" ]; then "$file"; else . "$file"; fi
                ;;
            *.sql)
                echo "initdb.d: $file"
                run_sql --dbname "$POSTGRES_DB" --file "$file"
                ;;
            *.sql.gz)
                echo "initdb.d: $file"
                gunzip --stdout "$file" | run_sql --dbname "$POSTGRES_DB"
                ;;
            *.sql.xz)
                echo "initdb.d: $file"
                xz --decompress --stdout "$file" | run_sql --dbname "$POSTGRES_DB"
                ;;
            '/docker-entrypoint-initdb.d/*') ;;
            *) echo "initdb.d: ignored: $file" ;;
        esac
    done
    pg_ctl --pgdata="$PGDATA" --wait --mode=fast --silent stop
    unset PGHOST
    echo "the data directory is made; PostgreSQL starts"
}

install -d -m 0700 "$PGDATA"
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    initialise
fi
exec "$@"
