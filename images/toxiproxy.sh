#!/bin/sh
# Build the stand-in for Toxiproxy 2.12.0 from its Go module. usage: toxiproxy.sh TAG
set -eu
cd "$(dirname "$0")"
# shellcheck source=images/debian.sh
. ./debian.sh

module=github.com/Shopify/toxiproxy/v2
version=2.12.0

# From 1.21 on, go fetches the toolchain that a module asks for.
go_is_new_enough() {
    command -v go >/dev/null 2>&1 || return 1
    # "go version go1.22.5 linux/amd64"
    minor=$(go version | sed -n 's/^go version go1\.\([0-9]*\).*/\1/p')
    [ -n "$minor" ] && [ "$minor" -ge 21 ]
}
go_is_new_enough || apt_install_from_suite golang-go golang-src
go_is_new_enough || die "go 1.21 or newer is needed to build Toxiproxy"

work_dir=$(mktemp -d)
trap 'rm -rf "$work_dir"' EXIT
trap 'exit 130' INT TERM
step "compile $module $version"
architecture=$(docker version --format '{{.Server.Arch}}')
module_cache=$(go env GOMODCACHE)
# The engine's system may be another than this machine's; GOBIN must be empty for go to allow that.
CGO_ENABLED=0 GOOS=linux GOARCH=$architecture GOBIN='' GOPATH=$work_dir/go GOMODCACHE=$module_cache \
    go install -trimpath -ldflags "-s -w -X $module.Version=$version" \
    "$module/cmd/server@v$version" "$module/cmd/cli@v$version"
mkdir "$work_dir/root"
find "$work_dir/go/bin" -type f -name server -exec mv {} "$work_dir/root/toxiproxy" \;
find "$work_dir/go/bin" -type f -name cli -exec mv {} "$work_dir/root/toxiproxy-cli" \;

step "import $1"
tar -C "$work_dir/root" -cf "$work_dir/root.tar" toxiproxy toxiproxy-cli
docker import --change 'USER 10001' --change 'EXPOSE 8474' --change 'ENTRYPOINT ["/toxiproxy"]' \
    --change 'CMD ["-host=0.0.0.0"]' "$work_dir/root.tar" "$1"
