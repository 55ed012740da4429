//go:build (!amd64 && !arm64) || purego

package pcm

func peakTotal(total []int32) uint32                      { return peakTotalGeneric(total) }
func ramp(dst []int16, total []int32, from, step float32) { rampGeneric(dst, total, from, step) }
