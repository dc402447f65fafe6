# shellcheck shell=sh
# Which Kubernetes it is, for who builds an image with its programs; sourced behind go.sh, never run.

KUBERNETES_VERSION=1.36.3
KUBERNETES_PROGRAMS=$CACHE_DIR/kubernetes-$KUBERNETES_VERSION

# keep_kubernetes: have the program that is all of Kubernetes' programs, $program.
keep_kubernetes() {
    stamp=k8s.io/component-base/version
    minor=${KUBERNETES_VERSION#1.}
    keep_program "$KUBERNETES_PROGRAMS" kubernetes/kubernetes \
        "-X $stamp.gitVersion=v$KUBERNETES_VERSION -X $stamp.gitMajor=1 -X $stamp.gitMinor=${minor%.*}"
}
