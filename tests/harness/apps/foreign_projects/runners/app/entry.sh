#!/bin/sh
set -e
export PYTHONPATH="$PYTHONPATH:/srv/lib"
exec "$@"
