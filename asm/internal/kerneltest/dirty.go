package kerneltest

var dirt [64]byte

func init() {
	for i := range dirt {
		dirt[i] = byte(0xA5 + 37*i)
	}
}

// Dirty fills the vector and mask registers of the current tier with what no kernel expects,
// right before a test calls one: it must not rely on a register that it did not set. Some
// are zero by chance otherwise.
func Dirty() { dirty(&dirt) }
