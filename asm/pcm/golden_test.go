package pcm

import (
	"encoding/binary"
	"hash/crc32"
	"testing"

	"sectile/asm/internal/kerneltest"
)

// The bits of some results, so that no change to a formula goes unseen, on whatever tier.
func TestGolden(t *testing.T) {
	kerneltest.Tiers(t, func(t *testing.T) {
		const n = 961
		src, other, dst := make([]int16, n), make([]int16, n), make([]int16, n)
		total, minus := make([]int32, n), make([]int32, n)
		fill(src, func(i int) int16 { return int16(i*i*31 + 7*i) })
		fill(other, func(i int) int16 { return int16(i*i*i + 12345) })
		check := func(name string, got, want uint32) {
			t.Helper()
			if got != want {
				t.Errorf("%s: %#08x instead of %#08x", name, got, want)
			}
		}
		Sum(total, [][]int16{src, other, src, src, other})
		check("Sum", checksum(t, total), 0xea548836)
		MixMinus(minus, total, other)
		check("MixMinus", checksum(t, minus), 0xd8f0c06c)
		check("PeakTotal", PeakTotal(minus), 0x1efb5)
		Ramp(dst, minus, 0.1, 1.25)
		check("Ramp", checksum(t, dst), 0x16592465)
		Saturate(dst, total)
		check("Saturate", checksum(t, dst), 0xec56cba2)
		Gain(dst, src, GainUnity*5/7)
		check("Gain down", checksum(t, dst), 0x54607f0f)
		Gain(dst, src, GainUnity*12/5)
		check("Gain up", checksum(t, dst), 0x112d3d06)
		check("Peak", uint32(Peak(src[:100])), 32266)
		check("Energy", uint32(Energy(src)%(1<<32)), 0xcca9f680)
	})
}

func checksum(t *testing.T, data any) uint32 {
	hash := crc32.NewIEEE()
	if err := binary.Write(hash, binary.LittleEndian, data); err != nil {
		t.Fatal(err)
	}
	return hash.Sum32()
}
