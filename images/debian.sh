# shellcheck shell=sh
# What the builders and ../just share: Debian packages by this machine's own configuration.
# Sourced, never run. Lines that start with "==> " are steps: nomock.images shows them live.

# Whoever needs another one sets it behind the line that sources this file.
DEBIAN_SUITE=trixie
CACHE_DIR=${XDG_CACHE_HOME:-$HOME/.cache}/nomock

step() {
    printf '==> %s\n' "$*"
}

die() {
    printf '%s\n' "$*" >&2
    exit 1
}

# os_release FIELD: one field of /etc/os-release, or nothing on a system that has none.
os_release() {
    [ -r /etc/os-release ] || return 0
    # shellcheck source=/dev/null
    (. /etc/os-release && eval "printf '%s' \"\${$1:-}\"")
}

# debian_sources: this machine's Debian sources as one-line entries for DEBIAN_SUITE.
# Other vendors' sources are left out, although some of them use Debian's suite names; and sid is
# one suite: it has no updates and no security beside it.
debian_sources() {
    [ "$(os_release ID)" = debian ] || return 0
    codename=$(os_release VERSION_CODENAME)
    for sources_file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
        [ -r "$sources_file" ] && cat "$sources_file"
    done | awk -v codename="$codename" -v suite="$DEBIAN_SUITE" '
        $1 == "deb" {
            options = ""; at = 2
            if ($2 ~ /^\[/) {
                while ($at !~ /\]$/) { options = options $at " "; at++ }
                options = options $at " "; at++
            }
            components = ""
            for (i = at + 2; i <= NF && $i !~ /^#/; i++) components = components " " $i
            wanted = $(at + 1)
            if (index(wanted, codename) != 1) next
            if (components !~ / main/ || ($at !~ /\/debian(-security)?\/?$/ && options !~ /debian-archive/)) next
            sub(codename, suite, wanted)
            if (suite == "sid" && wanted != suite) next
            print "deb " options $at " " wanted components
        }'
    for sources_file in /etc/apt/sources.list.d/*.sources; do
        # Each file ends in an empty line, so that the last paragraph of one is not the first of the next.
        [ -r "$sources_file" ] && cat "$sources_file" && echo
    done | awk -v codename="$codename" -v suite="$DEBIAN_SUITE" '
        function flush_stanza(  u, s, i, j, n, m, wanted, options) {
            if (types ~ /(^| )deb( |$)/ && components ~ /(^| )main( |$)/ && tolower(enabled) != "no") {
                # A key that stands in the stanza itself has no path to name: apt takes its trusted ones.
                options = signed ~ /^\// ? "[signed-by=" signed "] " : ""
                n = split(uris, u, " "); m = split(suites, s, " ")
                for (i = 1; i <= n; i++) for (j = 1; j <= m; j++) {
                    if (index(s[j], codename) != 1) continue
                    if (u[i] !~ /\/debian(-security)?\/?$/ && signed !~ /debian-archive/) continue
                    wanted = s[j]; sub(codename, suite, wanted)
                    if (suite == "sid" && wanted != suite) continue
                    print "deb " options u[i] " " wanted " " components
                }
            }
            types = uris = suites = components = signed = enabled = ""
        }
        /^#/ { next }
        /^[ \t]*$/ { flush_stanza(); next }
        /^[^ \t]/ {
            field = tolower(substr($0, 1, index($0, ":") - 1))
            value = substr($0, index($0, ":") + 1)
            sub(/^[ \t]+/, "", value); sub(/[ \t]+$/, "", value)
            if (field == "types") types = value
            if (field == "uris") uris = value
            if (field == "suites") suites = value
            if (field == "components") components = value
            if (field == "signed-by") signed = value
            if (field == "enabled") enabled = value
        }
        END { flush_stanza() }'
}

# apt_install PACKAGE...: by the distribution, when this user may.
apt_install() {
    if ! command -v apt-get >/dev/null 2>&1; then
        die "cannot install $*: this is neither Debian nor Ubuntu; install it yourself and call again"
    fi
    if [ "$(id -u)" != 0 ]; then
        die "cannot install $*: not root; run: sudo apt-get install $*"
    fi
    step "install $* on this machine"
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends -o DPkg::Lock::Timeout=300 "$@" && return 0
    # The package lists of a fresh machine are empty or out of date.
    apt-get update
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends -o DPkg::Lock::Timeout=300 "$@"
}

# apt_install_from_suite PACKAGE...: from DEBIAN_SUITE, on an older Debian too. There the suite is
# pinned low, so that nothing but these packages and what they cannot do without comes from it.
apt_install_from_suite() {
    if [ "$(os_release ID)" != debian ] || [ "$(os_release VERSION_ID)" != 12 ]; then
        apt_install "$@"
        return
    fi
    [ "$(id -u)" = 0 ] || die "cannot install $*: not root; run this once as root"
    pinned=/etc/apt/sources.list.d/nomock-$DEBIAN_SUITE
    if [ ! -e "$pinned.list" ] && [ ! -e "$pinned.sources" ]; then
        step "add Debian $DEBIAN_SUITE, pinned low, to this machine's package sources"
        source_line=$(debian_sources | grep " $DEBIAN_SUITE ") ||
            die "cannot install $*: no Debian source found in /etc/apt to take $DEBIAN_SUITE from"
        # The pin stands before the source does: a source without it would upgrade the machine.
        printf 'Package: *\nPin: release n=%s\nPin-Priority: 100\n' "$DEBIAN_SUITE" \
            >"/etc/apt/preferences.d/nomock-$DEBIAN_SUITE"
        printf '%s\n' "$source_line" | head -n 1 >"$pinned.list"
        apt-get update
    fi
    for package in "$@"; do
        shift
        set -- "$@" "$package/$DEBIAN_SUITE"
    done
    apt_install "$@"
}

# host_ca_bundle: the file with the certificate authorities that this machine trusts.
host_ca_bundle() {
    for bundle in "${SSL_CERT_FILE:-}" /etc/ssl/certs/ca-certificates.crt /etc/ssl/cert.pem; do
        if [ -n "$bundle" ] && [ -r "$bundle" ]; then
            printf '%s' "$bundle"
            return 0
        fi
    done
}

# make_work_dir: have a folder, $work_dir, that is gone when the script ends.
make_work_dir() {
    [ -z "${work_dir:-}" ] || return 0
    work_dir=$(mktemp -d)
    trap 'rm -rf "$work_dir"' EXIT
    trap 'exit 130' INT TERM
}

# debian_image TAG PACKAGES [mmdebstrap option...] -- [docker import option...]
# A Debian root with PACKAGES (separated by commas), without documentation and package lists.
debian_image() {
    tag=$1
    packages=$2
    shift 2
    command -v mmdebstrap >/dev/null 2>&1 || apt_install mmdebstrap debian-archive-keyring
    make_work_dir
    mkdir -p "$CACHE_DIR/apt"
    debian_sources >"$work_dir/sources.list"

    # "$@" becomes the options before "--", then the constant ones; what stands behind it is kept apart.
    options=0
    for argument in "$@"; do
        [ "$argument" = -- ] && break
        options=$((options + 1))
    done
    seen=0
    for argument in "$@"; do
        shift
        seen=$((seen + 1))
        [ "$seen" -le "$options" ] && set -- "$@" "$argument"
        [ "$seen" -gt $((options + 1)) ] && printf '%s\n' "$argument" >>"$work_dir/import"
    done

    [ -s "$work_dir/sources.list" ] && set -- "$@" "$work_dir/sources.list"
    step "unpack $DEBIAN_SUITE with $packages"
    # The sync hooks keep what was downloaded, for the next image and the next attempt.
    mmdebstrap --variant=minbase --include="$packages" --format=tar \
        --dpkgopt='path-exclude=/usr/share/man/*' \
        --dpkgopt='path-exclude=/usr/share/doc/*' \
        --dpkgopt='path-exclude=/usr/share/info/*' \
        --dpkgopt='path-exclude=/usr/share/locale/*' \
        --skip=download/empty --skip=essential/unlink \
        --setup-hook="mkdir -p \"\$1/var/cache/apt/archives\"" \
        --setup-hook="sync-in \"$CACHE_DIR/apt\" /var/cache/apt/archives" \
        --customize-hook="rm -rf \"\$1/var/lib/apt/lists\"/* \"\$1/var/log\"/*.log" \
        --customize-hook="sync-out /var/cache/apt/archives \"$CACHE_DIR/apt\"" \
        "$DEBIAN_SUITE" "$work_dir/root.tar" "$@"
    step "import $tag"
    set --
    if [ -s "$work_dir/import" ]; then
        while IFS= read -r change; do
            set -- "$@" --change "$change"
        done <"$work_dir/import"
    fi
    docker import "$@" "$work_dir/root.tar" "$tag"
}
