#!/bin/sh
# Build the stand-in for Jaeger 2.13.0 from its Go module, which takes minutes. usage: jaeger.sh TAG
# All but its pages for a browser: these are no part of the module.
set -eu
cd "$(dirname "$0")"
# shellcheck source=images/debian.sh
. ./debian.sh
# shellcheck source=images/go.sh
. ./go.sh

module=github.com/jaegertracing/jaeger
version=2.13.0
# The same release as a Go module: those of Jaeger 2 go on counting from Jaeger 1.
module_version=1.76.0

need_go Jaeger

make_work_dir
step "download $module $module_version"
# In the module's own folder, and not `go install module@version`: go refuses that for a module that
# replaces others. There its own go.mod counts, and its go.sum.
source_dir=$(go mod download -json "$module@v$module_version" | sed -n 's/^\t"Dir": "\(.*\)",*$/\1/p')
[ -d "$source_dir" ] || die "go downloaded no $module"
# Of its many storages Elasticsearch's client takes as long to compile as all of the others together,
# and nobody stores anything there: what is called of it is enough.
elastic=github.com/elastic/go-elasticsearch/v9
mkdir -p "$work_dir/elastic/esapi"
printf 'module %s\n' "$elastic" >"$work_dir/elastic/go.mod"
cat >"$work_dir/elastic/client.go" <<GO
package elasticsearch

import (
	"errors"
	"net/http"

	"$elastic/esapi"
)

type Config struct {
	Addresses                                 []string
	Username, Password                        string
	DiscoverNodesOnStart, CompressRequestBody bool
	Header                                    http.Header
	Transport                                 http.RoundTripper
}

type Client struct{ Indices *esapi.Indices }

func NewClient(Config) (*Client, error) {
	return nil, errors.New("this build has no Elasticsearch")
}
GO
cat >"$work_dir/elastic/esapi/indices.go" <<'GO'
package esapi

import (
	"errors"
	"io"
)

type Response struct{ StatusCode int }

type Indices struct{}

func (*Indices) PutIndexTemplate(string, io.Reader) (*Response, error) {
	return nil, errors.New("this build has no Elasticsearch")
}
GO
cp "$source_dir/go.mod" "$source_dir/go.sum" "$work_dir"
chmod u+w "$work_dir/go.mod" "$work_dir/go.sum"
go mod edit -replace "$elastic=$work_dir/elastic" "$work_dir/go.mod"
mkdir -p "$work_dir/root/cmd/jaeger" "$work_dir/root/bin" "$work_dir/root/tmp" "$work_dir/wget"
chmod 1777 "$work_dir/root/tmp"
step "compile $module $module_version"
go_for_engine build -C "$source_dir" -modfile="$work_dir/go.mod" -mod=mod -trimpath \
    -ldflags "-s -w -X $module/internal/version.latestVersion=v$version" \
    -o "$work_dir/root/cmd/jaeger/jaeger-linux" ./cmd/jaeger

# The published image is an Alpine, so that its healthcheck can ask by wget; here that is all there is.
cat >"$work_dir/wget/main.go" <<'GO'
// Exit with 0 when the last argument, a URL, answers 200; all other arguments are wget's own.
package main

import (
	"net/http"
	"os"
)

func main() {
	reply, err := http.Get(os.Args[len(os.Args)-1])
	if err != nil || reply.StatusCode != http.StatusOK {
		os.Exit(1)
	}
}
GO
go_for_engine build -trimpath -ldflags "-s -w" -o "$work_dir/root/bin/wget" "$work_dir/wget/main.go"

step "import $1"
tar -C "$work_dir/root" -cf "$work_dir/root.tar" cmd bin tmp
docker import --change 'USER 10001' --change 'ENV PATH=/bin JAEGER_LISTEN_HOST=0.0.0.0' \
    --change 'EXPOSE 4318 16686' --change 'ENTRYPOINT ["/cmd/jaeger/jaeger-linux"]' \
    "$work_dir/root.tar" "$1"
