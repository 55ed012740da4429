package h264

import (
	"errors"
	"fmt"
)

// SPS is what a sequence parameter set (ITU-T H.264, 7.3.2.1.1) says about a stream.
type SPS struct {
	Profile      int // profile_idc: 66 baseline, 77 main, 100 high
	Constraints  byte
	Level        int // level_idc: ten times the level
	ID           int
	ChromaFormat int // chroma_format_idc: 1 is 4:2:0
	BitDepth     int // of luma and chroma, the greater
	RefFrames    int // max_num_ref_frames

	// Luma samples: as coded, a multiple of 16, and after cropping.
	CodedWidth, CodedHeight int
	Width, Height           int
}

// Limits of Check.
const (
	minSide  = 64
	maxLong  = 1920 // of a picture lying or standing
	maxShort = 1088
	// maxRefs bounds the memory that a publisher can take, 3 MiB a picture: it is what level 4
	// allows at the largest size (table A-1), and encoders of calls have 1 to 4 at any size.
	maxRefs   = 4
	maxMBSide = 1 << 12 // of what ParseSPS reads at all, macroblocks
)

// Errors of ParseSPS and Check.
var (
	ErrSPS      = errors.New("h264: malformed SPS")
	ErrUnsafe   = errors.New("h264: stream exceeds the limits")
	errNotAnSPS = fmt.Errorf("%w: not an SPS", ErrSPS)
)

// ParseSPS reads an SPS, a whole NAL unit without start code, up to the VUI parameters.
// The error wraps ErrSPS.
func ParseSPS(nal []byte) (SPS, error) {
	if len(nal) < 4 || nal[0]&(forbid|typeMask) != typeSPS {
		return SPS{}, errNotAnSPS
	}
	s := SPS{Profile: int(nal[1]), Constraints: nal[2], Level: int(nal[3]), ChromaFormat: 1, BitDepth: 8}
	b := &bits{data: nal[4:]}
	id := b.ue()
	separatePlanes := false
	switch s.Profile {
	case 100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135:
		format := b.ue()
		if format > 3 {
			return SPS{}, fmt.Errorf("%w: chroma format %d", ErrSPS, format)
		}
		s.ChromaFormat = int(format)
		if format == 3 {
			separatePlanes = b.flag()
		}
		luma, chroma := b.ue(), b.ue()
		if luma > 6 || chroma > 6 {
			return SPS{}, fmt.Errorf("%w: bit depth 8+%d, 8+%d", ErrSPS, luma, chroma)
		}
		s.BitDepth += int(max(luma, chroma))
		b.u(1) // qpprime_y_zero_transform_bypass_flag
		if b.flag() {
			skipScalingMatrix(b, format)
		}
	}
	b.ue() // log2_max_frame_num_minus4
	switch orderType := b.ue(); orderType {
	case 0:
		b.ue() // log2_max_pic_order_cnt_lsb_minus4
	case 1:
		b.u(1) // delta_pic_order_always_zero_flag
		b.se() // offset_for_non_ref_pic
		b.se() // offset_for_top_to_bottom_field
		n := b.ue()
		if n > 255 {
			return SPS{}, fmt.Errorf("%w: picture order cycle of %d", ErrSPS, n)
		}
		for range n {
			b.se()
		}
	case 2:
	default:
		return SPS{}, fmt.Errorf("%w: picture order count type %d", ErrSPS, orderType)
	}
	refs := b.ue()
	b.u(1) // gaps_in_frame_num_value_allowed_flag
	wMBs, hUnits := b.ue(), b.ue()
	framesOnly := b.bit()
	if framesOnly == 0 {
		b.u(1) // mb_adaptive_frame_field_flag
	}
	b.u(1) // direct_8x8_inference_flag
	var left, right, top, bottom uint32
	if b.flag() {
		left, right, top, bottom = b.ue(), b.ue(), b.ue(), b.ue()
	}
	b.u(1) // vui_parameters_present_flag
	switch {
	case b.overrun:
		return SPS{}, fmt.Errorf("%w: too short", ErrSPS)
	case id > 31 || refs > 16:
		return SPS{}, fmt.Errorf("%w: id %d, %d reference frames", ErrSPS, id, refs)
	case wMBs >= maxMBSide || hUnits >= maxMBSide:
		return SPS{}, fmt.Errorf("%w: size of %d×%d macroblocks", ErrSPS, uint64(wMBs)+1, uint64(hUnits)+1)
	}
	s.ID, s.RefFrames = int(id), int(refs)
	s.CodedWidth, s.CodedHeight = int(wMBs+1)*16, int(hUnits+1)*16*int(2-framesOnly)

	// Table 6-1, and 7-19 to 7-22: cropping counts in chroma samples, and in pairs of lines
	// where there are fields.
	unitX, unitY := uint64(1), uint64(2-framesOnly)
	if !separatePlanes {
		if s.ChromaFormat == 1 || s.ChromaFormat == 2 {
			unitX = 2
		}
		if s.ChromaFormat == 1 {
			unitY *= 2
		}
	}
	cropX, cropY := unitX*(uint64(left)+uint64(right)), unitY*(uint64(top)+uint64(bottom))
	if cropX >= uint64(s.CodedWidth) || cropY >= uint64(s.CodedHeight) {
		return SPS{}, fmt.Errorf("%w: cropped to nothing", ErrSPS)
	}
	s.Width, s.Height = s.CodedWidth-int(cropX), s.CodedHeight-int(cropY)
	return s, nil
}

// skipScalingMatrix reads over the lists of 7.3.2.1.1.1.
func skipScalingMatrix(b *bits, chromaFormat uint32) {
	lists := 8
	if chromaFormat == 3 {
		lists = 12
	}
	for i := range lists {
		if !b.flag() {
			continue
		}
		size := 16
		if i >= 6 {
			size = 64
		}
		last, next := int32(8), int32(8)
		for range size {
			if next != 0 {
				next = (last + b.se()) & 0xff
			}
			if next != 0 {
				last = next
			}
		}
	}
}

// Check tells whether a decoder may be given the stream: baseline, main or high profile,
// 4:2:0 of 8 bits, 64×64 to 1920×1088 or 1088×1920 samples as coded, at most 4 reference
// frames. The error wraps ErrUnsafe.
func (s SPS) Check() error {
	switch {
	case s.Profile != 66 && s.Profile != 77 && s.Profile != 100:
		return fmt.Errorf("%w: profile %d, accepted are 66, 77 and 100", ErrUnsafe, s.Profile)
	case s.ChromaFormat != 1 || s.BitDepth != 8:
		return fmt.Errorf("%w: chroma format %d of %d bits, accepted is 4:2:0 of 8", ErrUnsafe, s.ChromaFormat, s.BitDepth)
	case s.Width < minSide || s.Height < minSide ||
		max(s.CodedWidth, s.CodedHeight) > maxLong || min(s.CodedWidth, s.CodedHeight) > maxShort:
		return fmt.Errorf("%w: picture of %d×%d, accepted are %d×%d to %d×%d", ErrUnsafe, s.Width, s.Height, minSide, minSide, maxLong, maxShort)
	case s.RefFrames > maxRefs:
		return fmt.Errorf("%w: %d reference frames, accepted are %d", ErrUnsafe, s.RefFrames, maxRefs)
	}
	return nil
}
