//go:build (!amd64 && !arm64) || purego

package yuv

func blend(dst, alpha []byte, colour byte) { blendGeneric(dst, alpha, colour) }
