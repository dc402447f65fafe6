#!/bin/sh
# Build the image of Argo CD 3.2.0 from Go modules and Debian's packages. usage: argocd.sh TAG
# Its program takes minutes; it is kept outside the checkout, and so is the kubectl that it needs.
set -eu
cd "$(dirname "$0")"
# shellcheck source=images/debian.sh
. ./debian.sh
# shellcheck source=images/go.sh
. ./go.sh
# shellcheck source=images/kubernetes/program.sh
. ./kubernetes/program.sh

need_go "Argo CD"
keep_kubernetes
kubernetes=$program
keep_program "$CACHE_DIR/argocd-3.2.0" argocd/argocd \
    "-X github.com/argoproj/argo-cd/v3/common.version=3.2.0"
argocd=$program
(cd argocd && go mod download github.com/argoproj/argo-cd/v3)
module_dir=$(go list -C argocd -m -f '{{.Dir}}' github.com/argoproj/argo-cd/v3)

# shellcheck disable=SC2016 # $1 is the hook's: the root that is being made
after='
    set -e
    install -m 0755 "'$argocd'" "$1/usr/local/bin/argocd-repo-server"
    ln -s argocd-repo-server "$1/usr/local/bin/argocd-application-controller"
    install -m 0755 "'$kubernetes'" "$1/usr/local/bin/kubectl"
    install -m 0755 argocd/node/start-argocd "$1/usr/local/bin"
    install -D -m 0644 -t "$1/usr/share/argocd" argocd/node/config.yaml \
        "'$module_dir'"/manifests/crds/*-crd.yaml'
debian_image "$1" redis-server,ca-certificates,tini,procps --customize-hook="$after" \
    -- \
    'ENTRYPOINT ["tini", "-g", "--", "start-argocd"]'
