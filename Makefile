# `make` prints what there is. Build tags live in scripts/env.sh.

SHELL := /bin/sh
export PATH := $(PATH):/usr/local/go/bin
export GOFLAGS := $(shell . ./scripts/env.sh && echo $$GOFLAGS)

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
ARGS ?=

# A trace of the scheduler every 24 days. With one, the thread of the Go runtime that watches
# the others never sleeps until it is woken, as it is in every tick, and then looks every
# 20 µs: it looks every 10 ms instead.
RUNTIME = -X runtime.godebugDefault=schedtrace=2147483647

.DEFAULT_GOAL := help

## help: print this
.PHONY: help
help:
	@sed -n 's/^## //p' $(MAKEFILE_LIST) | awk '{ i = index($$0, ": "); printf "  make %-15s %s\n", substr($$0, 1, i - 1), substr($$0, i + 2) }'

## run: install what is missing, build, start the server with its demo (ARGS="--http :9000 …")
.PHONY: run
run: build
	exec bin/sectile serve $(ARGS)

## build: install what is missing, build bin/sectile
.PHONY: build
build: deps
	go build -ldflags '-X main.version=$(VERSION) $(RUNTIME)' -o bin/sectile ./server

## test: install what is missing, then all checks and tests
.PHONY: test
test: test-deps check test-kernels
	go test -race ./...

## test-kernels: prove the kernels on every CPU tier, emulated ones included
.PHONY: test-kernels
test-kernels: test-deps
	@scripts/test-kernels.sh

## check: formatting and vet, for every tier and tag of the kernels
.PHONY: check
check: deps
	@unformatted=$$(gofmt -l .); [ -z "$$unformatted" ] || { echo "gofmt: $$unformatted"; exit 1; }
	go vet ./...
	GOFLAGS= go vet -tags purego ./asm/...
	GOFLAGS= GOARCH=arm64 go vet ./asm/...
	GOFLAGS= GOARCH=arm64 go vet -tags purego ./asm/...

## bench: benchmarks of the kernels, generic beside every tier
.PHONY: bench
bench:
	go test -run '^$$' -bench . -benchtime 200ms ./asm/...

## bench-kernels: a table of the kernels beside libyuv and gcc (BENCH=Scale RUNS=5 TIME=100ms)
.PHONY: bench-kernels
BENCH ?= .
RUNS ?= 5
TIME ?= 100ms
bench-kernels: bench-deps
	go test -c -o bin/peers.test $(GOFLAGS),peers ./bench/peers
	@for run in $$(seq $(RUNS)); do \
		bin/peers.test -test.bench '$(BENCH)' -test.benchtime $(TIME) || exit 1; \
	done | go run ./bench/kernels

## bench-density: a table of rooms' cost beside Janus's, as root (ARGS="--rows '1 room × 40'")
.PHONY: bench-density
bench-density: bench-deps build
	go build -o bin/ ./bench/load ./bench/density
	bin/density $(ARGS)

## bench-network: a table of what bad networks do to sound (ARGS="--video": to pictures; "--long")
.PHONY: bench-network
bench-network: build
	go build -o bin/ ./bench/network
	bin/network $(ARGS)

## bench-video: a table of the mosaic beside ffmpeg's (VIDEO="-quick" without PSNR and SSIM)
.PHONY: bench-video
bench-video: bench-deps
	go test -c -ldflags '$(RUNTIME)' -o bin/video.test $(GOFLAGS),bench ./bench/video
	bin/video.test -dir bin/bench-video $(VIDEO)

## bench-live: a table of rooms with 9 to 98 cameras, live (ARGS="--duration 30s")
.PHONY: bench-live
bench-live: build
	go build -o bin/ ./bench/load ./bench/live
	bin/live $(ARGS)

## deps: install the Debian packages that a build needs
.PHONY: deps
deps:
	@scripts/deps.sh build

## test-deps: the same for the tests
.PHONY: test-deps
test-deps:
	@scripts/deps.sh test

## bench-deps: the same for bench-kernels and bench-density
.PHONY: bench-deps
bench-deps:
	@scripts/deps.sh bench

## clean: remove what was built
.PHONY: clean
clean:
	rm -rf bin
