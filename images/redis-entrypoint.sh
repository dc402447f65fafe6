#!/bin/sh
# Start Redis as the official image does: options alone mean redis-server, other commands run as they are.
set -eu

case ${1:-} in
    -* | *.conf) set -- redis-server "$@" ;;
esac
if [ "${1:-}" = redis-server ]; then
    shift
    case ${1:-} in
        "" | -*) set -- --protected-mode no "$@" ;;
        # The configuration file comes first; what follows it overrides it.
        *) conf=$1; shift; set -- "$conf" --protected-mode no "$@" ;;
    esac
    set -- redis-server "$@"
fi
exec "$@"
