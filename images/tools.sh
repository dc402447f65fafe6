#!/bin/sh
# Build the stand-in for netshoot: what a watchdog of faults needs inside a service's network
# namespace (docs/faults.md), and the library that skews a clock. usage: tools.sh TAG
set -eu
cd "$(dirname "$0")"
# shellcheck source=images/debian.sh
. ./debian.sh

debian_image "$1" python3,nftables,iproute2,libfaketime \
    -- \
    'CMD ["python3"]'
