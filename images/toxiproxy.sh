#!/bin/sh
# Build the stand-in for Toxiproxy 2.12.0 from its Go module. usage: toxiproxy.sh TAG
set -eu
cd "$(dirname "$0")"
# shellcheck source=images/debian.sh
. ./debian.sh
# shellcheck source=images/go.sh
. ./go.sh

module=github.com/Shopify/toxiproxy/v2
version=2.12.0

need_go Toxiproxy

make_work_dir
step "compile $module $version"
module_cache=$(go env GOMODCACHE)
# GOBIN must be empty for go to build for another system than this machine's.
GOBIN='' GOPATH=$work_dir/go GOMODCACHE=$module_cache \
    go_for_engine install -trimpath -ldflags "-s -w -X $module.Version=$version" \
    "$module/cmd/server@v$version" "$module/cmd/cli@v$version"
mkdir "$work_dir/root"
find "$work_dir/go/bin" -type f -name server -exec mv {} "$work_dir/root/toxiproxy" \;
find "$work_dir/go/bin" -type f -name cli -exec mv {} "$work_dir/root/toxiproxy-cli" \;

step "import $1"
tar -C "$work_dir/root" -cf "$work_dir/root.tar" toxiproxy toxiproxy-cli
docker import --change 'USER 10001' --change 'EXPOSE 8474' --change 'ENTRYPOINT ["/toxiproxy"]' \
    --change 'CMD ["-host=0.0.0.0"]' "$work_dir/root.tar" "$1"
