#!/bin/sh
# Installs the Debian packages that are missing: deps.sh build|test|bench
# Does nothing, and needs no root, when all are there.
set -eu

# Go comes first: it is not among the packages. From 1.21 on it fetches the version that go.mod
# asks for by itself, unless GOTOOLCHAIN forbids it.
least=$(sed -n 's/^go //p' "$(dirname "$0")/../go.mod")
command -v go >/dev/null || { echo "Go is missing; $least or later is needed: https://go.dev/doc/install" >&2; exit 1; }
# In the module Go fails where it may not fetch; elsewhere it tells its own version.
found=$(go env GOVERSION 2>/dev/null || { cd / && go env GOVERSION; })
found=$(echo "$found" | sed 's/^go\([0-9.]*\).*/\1/')
if [ "$(printf '%s\n' "$least" "$found" | sort -V | head -n 1)" != "$least" ]; then
	echo "Go $least or later is needed, here is ${found:-another one}: https://go.dev/doc/install" >&2
	exit 1
fi

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
