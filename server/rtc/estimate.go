package rtc

import (
	"github.com/pion/interceptor"
	"github.com/pion/interceptor/pkg/cc"
	"github.com/pion/interceptor/pkg/gcc"
	"github.com/pion/interceptor/pkg/twcc"
	"github.com/pion/rtcp"
	"github.com/pion/sdp/v3"
)

// Bounds of the estimate of a player's bandwidth. It starts above the usual mosaic, since
// nothing is known against that.
const (
	firstEstimate = 3_000_000
	leastEstimate = 100_000
	mostEstimate  = 30_000_000
)

// estimator estimates how many bit/s a player can take, from what the player reports of
// the arrival of each packet (Google congestion control over transport-wide feedback).
type estimator struct{ cc.BandwidthEstimator }

// WriteRTCP takes a player's feedback. An error of it must not end the reading of what else
// the player reports.
func (e estimator) WriteRTCP(packets []rtcp.Packet, a interceptor.Attributes) error {
	_ = e.BandwidthEstimator.WriteRTCP(packets, a)
	return nil
}

// AddStream estimates by the pictures, which alone have numbers, and with them by what of
// them is sent again.
func (e estimator) AddStream(info *interceptor.StreamInfo, w interceptor.RTPWriter) interceptor.RTPWriter {
	for _, extension := range info.RTPHeaderExtensions {
		if extension.URI == sdp.TransportCCURI {
			return e.BandwidthEstimator.AddStream(info, w)
		}
	}
	return w
}

// unpaced is a gcc.Pacer for one stream and its retransmissions, without a queue.
type unpaced struct{ interceptor.RTPWriter }

func (*unpaced) SetTargetBitrate(int)                          {}
func (u *unpaced) AddStream(_ uint32, w interceptor.RTPWriter) { u.RTPWriter = w }
func (*unpaced) Close() error                                  { return nil }

// newEstimator makes what a session that plays video needs to estimate its player's
// bandwidth. GCC's own pacer would queue sound behind pictures, and wakes every 5 ms for
// every session; the pacer of the server does neither.
func newEstimator(log pionLog) (estimator, error) {
	e, err := gcc.NewSendSideBWE(
		gcc.SendSideBWEInitialBitrate(firstEstimate), gcc.SendSideBWEMinBitrate(leastEstimate), gcc.SendSideBWEMaxBitrate(mostEstimate),
		gcc.SendSideBWEPacer(&unpaced{}), gcc.WithLoggerFactory(log))
	return estimator{e}, err
}

// estimatingRegistry is like the registry of sessions that play, with e.
func estimatingRegistry(log pionLog, e estimator) (*interceptor.Registry, error) {
	r := &interceptor.Registry{}
	control, err := cc.NewInterceptor(func() (cc.BandwidthEstimator, error) { return e, nil })
	if err != nil {
		return nil, err
	}
	numbers, err := twcc.NewHeaderExtensionInterceptor()
	if err != nil {
		return nil, err
	}
	// Each one is before those that came before it on a packet's way out: a packet that is
	// sent again has a number of its own.
	r.Add(control)
	r.Add(numbers)
	return r, addResponder(r, log)
}
