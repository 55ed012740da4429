//go:build (!amd64 && !arm64) || purego

package pcm

func scale(dst, src []int16, gain int32) { scaleGeneric(dst, src, gain) }
func peak(src []int16) int               { return peakGeneric(src) }
func energy(src []int16) uint64          { return energyGeneric(src) }
