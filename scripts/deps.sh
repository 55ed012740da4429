#!/bin/sh
# Installs the Debian packages that are missing: deps.sh build|test|bench
# Does nothing, and needs no root, when all are there.
set -eu

build="gcc libc6-dev pkg-config libopus-dev libx264-dev libavcodec-dev libavutil-dev"
test="$build chromium curl qemu-user-static"
# Any npm will do: Debian's brings hundreds of packages along.
command -v npm >/dev/null || test="$test npm"
bench="$build libyuv-dev mate-backgrounds janus alsa-utils iproute2 ffmpeg opencv-doc"

case "${1:-}" in
build) wanted=$build ;;
test) wanted=$test ;;
bench) wanted=$bench ;;
*) echo "usage: $0 build|test|bench" >&2; exit 2 ;;
esac

missing=""
for package in $wanted; do
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing="$missing $package"
done

if [ -n "$missing" ]; then
	if [ "$(id -u)" != 0 ]; then
		echo "missing packages; install them with: sudo apt-get install -y --no-install-recommends$missing" >&2
		exit 1
	fi
	echo "installing:$missing"
	export DEBIAN_FRONTEND=noninteractive
	# Janus is only run by the benchmarks, never as a service.
	case "$missing" in *" janus"*) systemctl mask janus.service >/dev/null 2>&1 || true ;; esac
	apt-get update -qq
	apt-get install -y -qq --no-install-recommends $missing >/dev/null
fi

command -v go >/dev/null || { echo "Go is missing: https://go.dev/doc/install" >&2; exit 1; }
