package yuv

import "bytes"

// sameLumaGeneric sets same[i] to 1 if columns 16i to 16i+15 of the rows are equal in a and
// b, and to 0 if not. It takes at least one row.
func sameLumaGeneric(same, a, b []byte, aStride, bStride, rows int) {
	for i := range same {
		same[i] = 0
		if equal(a[16*i:], b[16*i:], aStride, bStride, 16, rows) {
			same[i] = 1
		}
	}
}

// sameChromaGeneric sets same[i] to 0 unless columns 8i to 8i+7 of the rows are equal in a
// and b. It takes at least one row.
func sameChromaGeneric(same, a, b []byte, aStride, bStride, rows int) {
	for i := range same {
		if same[i] != 0 && !equal(a[8*i:], b[8*i:], aStride, bStride, 8, rows) {
			same[i] = 0
		}
	}
}

// equal compares a rectangle of w samples in each of the rows.
func equal(a, b []byte, aStride, bStride, w, rows int) bool {
	for y := range rows {
		if !bytes.Equal(a[y*aStride:][:w], b[y*bStride:][:w]) {
			return false
		}
	}
	return true
}
