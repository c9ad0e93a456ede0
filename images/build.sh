#!/bin/sh
# Build an image of Berth: images/build.sh control-plane|berth-fetch|engine [more arguments of `build`].
#
# Takes docker, podman or buildah, the first that works, or BUILDER. BASE (and BUILD_BASE, where pip runs) replace the base
# image; TAG names the result. PIP_CONF and CA_BUNDLE are files handed to pip as secrets, for an index of one's own: neither
# ends up in the image. STORAGE keeps buildah's files apart.
set -eu
cd "$(dirname "$0")/.."
name=${1:-}
if [ ! -f "images/$name/Dockerfile" ]; then
    echo "no image '$name': control-plane, berth-fetch or engine" >&2
    exit 2
fi
shift
tag=${TAG:-localhost/$name:local}
case $name in control-plane) tag=${TAG:-localhost/berth:local} ;; engine) tag=${TAG:-localhost/berth-engine:local} ;; esac

works() {
    case $1 in
        docker) docker info >/dev/null 2>&1 ;;
        *) command -v "$1" >/dev/null 2>&1 ;;
    esac
}
builder=${BUILDER:-}
if [ -z "$builder" ]; then
    for candidate in docker podman buildah; do
        if works "$candidate"; then builder=$candidate; break; fi
    done
fi
if [ -z "$builder" ]; then
    echo "building images needs docker (with its daemon running), podman or buildah; none of them works here" >&2
    exit 1
fi

set -- --file "images/$name/Dockerfile" --tag "$tag" "$@"
[ -z "${BASE:-}" ] || set -- --build-arg "BASE=$BASE" "$@"
[ -z "${BUILD_BASE:-}" ] || set -- --build-arg "BUILD_BASE=$BUILD_BASE" "$@"
[ -z "${PIP_CONF:-}" ] || set -- --secret "id=pip,src=$PIP_CONF" "$@"
[ -z "${CA_BUNDLE:-}" ] || set -- --secret "id=ca,src=$CA_BUNDLE" "$@"
case $builder in
    docker) DOCKER_BUILDKIT=1 docker build "$@" . ;;
    podman) podman build --format docker "$@" . ;;
    buildah)
        if [ -n "${STORAGE:-}" ]; then
            buildah --storage-driver=vfs --root "$STORAGE/storage" --runroot "$STORAGE/run" build --format docker "$@" .
        else
            buildah build --format docker "$@" .
        fi ;;
esac
