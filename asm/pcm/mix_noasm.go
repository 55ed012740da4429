//go:build (!amd64 && !arm64) || purego

package pcm

func sum(total []int32, srcs [][]int16)        { sumGeneric(total, srcs) }
func mixMinus(dst, total []int32, own []int16) { mixMinusGeneric(dst, total, own) }
func saturate(dst []int16, total []int32)      { saturateGeneric(dst, total) }
