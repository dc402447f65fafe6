# shellcheck shell=sh
# What the builders of Go programs share; sourced behind debian.sh, never run.

# From 1.21 on, go fetches the toolchain that a module asks for.
go_is_new_enough() {
    command -v go >/dev/null 2>&1 || return 1
    # "go version go1.22.5 linux/amd64"
    minor=$(go version | sed -n 's/^go version go1\.\([0-9]*\).*/\1/p')
    [ -n "$minor" ] && [ "$minor" -ge 21 ]
}

# need_go PROGRAM: there is a Go that builds it.
need_go() {
    go_is_new_enough || apt_install_from_suite golang-go golang-src
    go_is_new_enough || die "go 1.21 or newer is needed to build $1"
}

# go_for_engine ARGUMENT...: go, for the engine's system, which may be another than this machine's.
go_for_engine() {
    CGO_ENABLED=0 GOOS=linux GOARCH=$(docker version --format '{{.Server.Arch}}') go "$@"
}
