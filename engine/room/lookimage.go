package room

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"image"
	_ "image/jpeg" // both formats that background images have
	_ "image/png"
	"strings"

	"sectile/engine/sched"
)

const (
	imageAccepts   = "a data URL with a PNG or JPEG of up to 47 KiB and 3840×2160 pixels in base64, or nothing"
	maxImageBytes  = 47 << 10 // a body of the control API holds it
	maxImagePixels = 3840 * 2160
)

// CheckImage decodes a background image, which is a data URL (RFC 2397), to see whether it
// can be shown. The error is an *OptionError.
func CheckImage(url string) (err error) {
	sched.Background(func() { _, err = decodeImage(url) })
	return err
}

// imageError does not repeat what may be long.
func imageError(reason error) error {
	return &OptionError{"background_image", reason.Error(), imageAccepts}
}

// imageData returns the file in a data URL, if it may be decoded.
func imageData(url string) ([]byte, error) {
	head, text, found := strings.Cut(url, ";base64,")
	if !found || head != "data:image/png" && head != "data:image/jpeg" {
		return nil, imageError(fmt.Errorf("%.40s", url))
	}
	if len(text) > base64.StdEncoding.EncodedLen(maxImageBytes) {
		return nil, imageError(fmt.Errorf("%d bytes", len(url)))
	}
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, imageError(errors.New("no base64"))
	}
	c, format, err := image.DecodeConfig(bytes.NewReader(data))
	switch {
	case err != nil || "data:image/"+format != head:
		return nil, imageError(errors.New("not an image of that type"))
	case c.Width < 1 || c.Height < 1 || c.Width > maxImagePixels/c.Height:
		return nil, imageError(fmt.Errorf("%d×%d pixels", c.Width, c.Height))
	}
	return data, nil
}

func decodeImage(url string) (image.Image, error) {
	data, err := imageData(url)
	if err != nil {
		return nil, err
	}
	img, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, imageError(err)
	}
	return img, nil
}
