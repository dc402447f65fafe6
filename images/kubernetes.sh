#!/bin/sh
# Build the image of a node of Kubernetes 1.36.3 from Go modules and Debian's packages. usage:
# kubernetes.sh TAG. Its programs take ten minutes on two cores: they are kept outside the checkout.
set -eu
cd "$(dirname "$0")"
# shellcheck source=images/debian.sh
. ./debian.sh
# shellcheck source=images/go.sh
. ./go.sh
# shellcheck source=images/kubernetes/program.sh
. ./kubernetes/program.sh

# kubelet speaks with containerd 2, which no stable Debian has yet.
DEBIAN_SUITE=sid

need_go Kubernetes
keep_kubernetes
kubernetes=$program
keep_program "$KUBERNETES_PROGRAMS" kubernetes/coredns ""
coredns=$program
keep_program "$KUBERNETES_PROGRAMS" kubernetes/pause ""
pause=$program

make_work_dir
step "pack the images of its own pods"
# As docker save packs them; the engine need not know these two.
arch=$(docker version --format '{{.Server.Arch}}')
cp "$pause" "$work_dir/pause"
cp "$coredns" "$work_dir/coredns"
for image in pause coredns; do
    tar -C "$work_dir" --owner=0 --group=0 -cf "$work_dir/$image.tar" "$image"
    layer=$(sha256sum "$work_dir/$image.tar" | cut -d ' ' -f 1)
    printf '{"os": "linux", "architecture": "%s", "config": {"Entrypoint": ["/%s"]}, "rootfs": {"type": "layers", "diff_ids": ["sha256:%s"]}}' \
        "$arch" "$image" "$layer" >"$work_dir/$image.json"
done
cat >"$work_dir/manifest.json" <<'JSON'
[{"Config": "pause.json", "RepoTags": ["nomock/pause:1"], "Layers": ["pause.tar"]},
 {"Config": "coredns.json", "RepoTags": ["nomock/coredns:1"], "Layers": ["coredns.tar"]}]
JSON
tar -C "$work_dir" -cf "$work_dir/images.tar" manifest.json pause.json pause.tar coredns.json coredns.tar

# shellcheck disable=SC2016 # $1 is the hook's: the root that is being made
after='
    set -e
    install -m 0755 "'$kubernetes'" "$1/usr/local/bin/kubernetes"
    for name in kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy kube-policies kubectl; do
        ln -s kubernetes "$1/usr/local/bin/$name"
    done
    install -m 0755 kubernetes/node/start-node kubernetes/node/make-certificates \
        kubernetes/node/node-is-healthy kubernetes/node/name-registry "$1/usr/local/bin"
    install -D -m 0644 -t "$1/usr/share/node" "'$work_dir'/images.tar"
    install -D -m 0644 kubernetes/node/containerd.toml "$1/etc/containerd/config.toml"
    install -D -m 0644 -t "$1/etc/cni/net.d" kubernetes/node/pods.conflist
    install -D -m 0644 -t "$1/etc/kubernetes" kubernetes/node/kubelet.yaml kubernetes/node/cluster.yaml'
# Its index is good for a week, and a mirror that is not renewed daily may be behind.
debian_image "$1" \
    containerd,runc,etcd-server,containernetworking-plugins,iptables,nftables,ipset,iproute2,conntrack,procps,mount,socat,kmod,tini,openssl,ca-certificates \
    --aptopt='Acquire::Check-Valid-Until "false"' --customize-hook="$after" \
    -- \
    'EXPOSE 6443' \
    'ENTRYPOINT ["tini", "-g", "--", "start-node"]'
