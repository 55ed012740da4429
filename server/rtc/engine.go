package rtc

import (
	"time"

	"sectile/engine"
	"sectile/engine/h264"
	"sectile/engine/jitter"
	"sectile/engine/room"
)

// backend is what sessions need of the engine.
type backend interface {
	Publish(stream string, p engine.Publisher) (publication, error)
	HasStream(name string) bool
	Subscribe(room string, t room.Tracks, sink room.Sink) (subscription, error)
	Describe(room string) ([]room.TrackInfo, error)
	Around(intake, flush func())
	Now() time.Duration
}

type publication interface {
	PushAudio(p jitter.Packet, arrival time.Duration)
	PushVideo(layer int, p h264.Packet)
	SetVideoRTT(layer int, rtt time.Duration)
	VideoTarget() int
	ReportAudio(engine.Report)
	ReportVideo(layer int, r engine.Report)
	EndVideo(layer int, ssrc uint32)
	Close()
}

type subscription interface {
	SetTracks(room.Tracks) error
	RequestKeyframe()
	ReportLoss(fraction float64)
	SetBandwidth(room.Bandwidth) (wanted int)
	Close()
}

// realEngine is the backend of a running server.
type realEngine struct{ *engine.Engine }

func (e realEngine) Publish(stream string, p engine.Publisher) (publication, error) {
	pub, err := e.Engine.Publish(stream, p)
	if err != nil {
		return nil, err
	}
	return pub, nil
}

func (e realEngine) Subscribe(name string, t room.Tracks, sink room.Sink) (subscription, error) {
	sub, err := e.Engine.Subscribe(name, t, sink)
	if err != nil {
		return nil, err
	}
	return sub, nil
}
