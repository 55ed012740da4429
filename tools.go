//go:build tools

package tools

import (
	_ "github.com/alecthomas/kong"
	_ "github.com/alecthomas/participle/v2"
	_ "github.com/chromedp/chromedp"
	_ "github.com/gen2brain/x264-go/x264c"
	_ "github.com/klauspost/cpuid/v2"
	_ "github.com/pion/webrtc/v4"
	_ "github.com/prometheus/client_golang/prometheus"
	_ "github.com/prometheus/client_golang/prometheus/promhttp"
	_ "github.com/prometheus/client_golang/prometheus/testutil"
	_ "go.uber.org/goleak"
	_ "golang.org/x/image/font/opentype"
	_ "golang.org/x/image/font/gofont/gomedium"
	_ "golang.org/x/time/rate"
	_ "golang.org/x/sys/unix"
	_ "golang.org/x/sync/errgroup"
	_ "gopkg.in/hraban/opus.v2"
)
