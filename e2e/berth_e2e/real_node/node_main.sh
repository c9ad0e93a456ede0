#!/bin/bash
# Process 1 of a real node's namespaces: mounts, then containerd and the kubelet. All paths are in the environment:
# NODE (name), FOLDER (of this node), BINARIES (of the kubelet), IMAGE_ARCHIVE. Ends when containerd ends.
set -eu
hostname "$NODE"
mount -t proc proc /proc
mount --make-rshared /
umount /sys/fs/cgroup/unified 2>/dev/null || true # on cgroup v1 runc would otherwise look there for controllers

# what the kubelet and containerd keep in fixed places lies in the node's folder
for pair in kubelet:/var/lib/kubelet run:/run/containerd log-pods:/var/log/pods log-containers:/var/log/containers \
	libexec:/usr/libexec/kubernetes cni:/var/lib/cni; do
	mkdir -p "${pair#*:}"
	mount --bind "$FOLDER/${pair%%:*}" "${pair#*:}"
done
mkdir -p /var/run/netns
mount -t tmpfs none /var/run/netns
mount --make-rshared /
# the kubelet sets these for the whole machine: it gets files to write to instead
for name in vm/overcommit_memory kernel/panic kernel/panic_on_oops; do
	mount --bind "$FOLDER/sysctl/${name//\//_}" "/proc/sys/$name"
done

touch "$FOLDER/run/waits-for-network"
while [ ! -e "$FOLDER/run/network-ready" ]; do sleep 0.05; done
echo 1 >/proc/sys/net/ipv4/ip_forward # of this namespace alone

containerd --config "$FOLDER/etc/containerd.toml" >>"$FOLDER/containerd.log" 2>&1 &
containerd=$!
ctr() { command ctr --address /run/containerd/containerd.sock --namespace k8s.io "$@"; }
for _ in $(seq 200); do
	ctr version >/dev/null 2>&1 && break
	sleep 0.1
done
# before the kubelet: it is the sandbox of every pod
ctr images ls -q | grep -q "^$IMAGE\$" || ctr images import "$IMAGE_ARCHIVE"
touch "$FOLDER/run/image-ready"

# a loop, so that killing the kubelet is a restart of it; containers go on meanwhile
while kill -0 $containerd 2>/dev/null; do
	"$BINARIES/kubelet" --config "$FOLDER/etc/kubelet.json" --kubeconfig "$FOLDER/etc/kubeconfig.json" \
		--hostname-override "$NODE" --node-ip "$ADDRESS" --register-with-taints "$TAINT" --node-labels "$LABELS" \
		--v=2 >>"$FOLDER/kubelet.log" 2>&1 || true
	sleep 0.5
done
echo "containerd has ended"
