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

# keep_program FOLDER SOURCE FLAGS: have the linker of go make a program of a folder beside this one,
# with these flags, and keep it in FOLDER; $program is its path then.
# It is made once of one text: its name has a digest of all that it is made of, and it gets this name
# when it is whole. So one that was interrupted is made again, with what go has compiled until then.
keep_program() {
    mkdir -p "$1"
    # Another checkout may be at it; freed by the system when this shell ends.
    exec 9>>"$1/lock"
    flock 9
    module=${2%%/*} name=${2##*/}
    made_of=$({
        go version
        docker version --format '{{.Server.Arch}}'
        printf '%s\n' "$3"
        cat "$module/go.mod" "$module/go.sum" "$2"/*.go
    } | sha256sum | cut -c 1-16)
    program=$1/$name-$made_of
    if [ ! -x "$program" ]; then
        step "compile $name"
        go_for_engine build -C "$module" -trimpath -buildvcs=false -ldflags "-s -w $3" -o "$program.part" "./$name"
        sync "$program.part"
        mv "$program.part" "$program"
        find "$1" -type f -name "$name-*" ! -path "$program" -delete
    fi
    exec 9>&-
}
