#!/bin/sh
# Proves the kernels on every tier that there is: on this CPU with each tier as the highest,
# without assembly, on emulated CPUs with and without AVX2, and on arm64. A tier that was
# meant to run and did not is a failure: the tests read SECTILE_TEST_* for that. Whole
# mosaics must come out the same too where the compiler fuses multiplications with
# additions, which on amd64 it does from GOAMD64=v3 on.
set -eu
cd "$(dirname "$0")/.."
export GOFLAGS= CGO_ENABLED=0

# has FEATURE...: whether this CPU has them all, by what the kernel says, for the tests not
# to believe the code that they test.
has() {
	for feature; do
		grep -qw "$feature" /proc/cpuinfo || return 1
	done
}

# run ARCH TIER WHERE [flags of go test]: TIER must be the highest there.
run() {
	arch=$1 tier=$2 where=$3
	shift 3
	echo "== $arch $tier, $where"
	GOARCH=$arch SECTILE_TEST_REQUIRE_CPU=$tier SECTILE_TEST_HIGHEST_CPU=$tier \
		go test -count=1 -vet=off "$@" ./asm/...
}

# mosaics ARCH WHERE [flags of go test]: the mosaics are equal there on each tier.
mosaics() {
	arch=$1 where=$2
	shift 2
	echo "== $arch mosaics, $where"
	GOARCH=$arch go test -count=1 -vet=off -run '^TestGoldenMosaics$' "$@" ./engine/compose
}

host=$(go env GOHOSTARCH)
case $host in
amd64)
	best=generic
	if has avx2 bmi2; then best=avx2; fi
	if has avx2 bmi2 avx512f avx512bw avx512vl avx512dq; then best=avx512; fi
	;;
arm64) best=neon ;;
*) best=generic ;;
esac

run "$host" $best "this CPU"
if [ $best = avx512 ]; then
	SECTILE_CPU=avx2 run "$host" avx2 "SECTILE_CPU"
fi
SECTILE_CPU=generic run "$host" generic "SECTILE_CPU"
run "$host" generic "no assembly" -tags purego

run amd64 avx2 "emulated Haswell" -short -exec "qemu-x86_64-static -cpu Haswell"
run amd64 generic "emulated Nehalem" -short -exec "qemu-x86_64-static -cpu Nehalem"
if [ "$host" != arm64 ]; then
	run arm64 neon "emulated" -short -exec qemu-aarch64-static
	run arm64 generic "emulated, no assembly" -short -tags purego -exec qemu-aarch64-static
	mosaics arm64 "emulated" -exec qemu-aarch64-static
	mosaics arm64 "emulated, no assembly" -tags purego -exec qemu-aarch64-static
fi
mosaics "$host" "this CPU"
if [ $host = amd64 ] && has avx2 bmi1 bmi2 f16c fma movbe abm; then
	GOAMD64=v3 mosaics amd64 "GOAMD64=v3"
fi
