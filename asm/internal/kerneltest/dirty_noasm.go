//go:build (!amd64 && !arm64) || purego

package kerneltest

func dirty(*[64]byte) {}
