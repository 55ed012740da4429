// Package metrics shows the server's counters to Prometheus. Nothing is counted here:
// the engine and the sessions count in atomics of their own, which are read at each
// scrape. No metric carries a label of a room or a stream, so that their number stays
// the same however many rooms there are.
package metrics

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"sectile/engine"
	"sectile/engine/metrics"
	"sectile/server/rtc"
)

// Sources are what is read at a scrape.
type Sources struct {
	Engine   *engine.Engine
	Sessions func() rtc.Stats
	Rejected func() map[string]uint64 // by the control API, by reason
	Tier     string                   // of the kernels
}

// Handler serves the metrics in Prometheus's formats.
func Handler(s Sources) http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(
		&collector{s},
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{})
}

type collector struct{ Sources }

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("sectile_"+name, help, labels, nil)
}

var (
	rooms        = desc("rooms", "Rooms.")
	participants = desc("participants", "Streams in rooms, publishing or not.")
	talkers      = desc("talkers", "Participants who talk at the moment.")
	sessions     = desc("sessions", "WebRTC sessions.", "kind")

	engineLoad = desc("load", "How busy the server was in the last seconds; 1 is all that it can do.")

	tickLateness = desc("tick_lateness_seconds", "From the deadline of an audio tick to its start.")
	tickDuration = desc("tick_duration_seconds", "From the start of an audio tick to its end.")
	ticksSkipped = desc("ticks_skipped_total", "Audio ticks that were so late that they were left out.")

	opusEncodes    = desc("opus_encodes_total", "Opus frames encoded: shared by all who hear the same mix, private to one, or to warm up an encoder that begins.", "kind")
	opusDecodes    = desc("opus_decodes_total", "Opus frames decoded, recovered from in-band FEC, or concealed (PLC).", "kind")
	opusSilence    = desc("opus_silence_packets_total", "Opus packets of silence that took no encode.")
	opusLeftOut    = desc("opus_left_out_packets_total", "Opus packets that were not made, for too many participants began to talk at once.")
	limiterSeconds = desc("limiter_active_seconds_total", "Time in which a limiter turned a mix down, summed over mixes.")

	jitterLate      = desc("jitter_late_packets_total", "Audio packets that came after their time to play.")
	jitterLost      = desc("jitter_lost_packets_total", "Audio packets that did not come in time to play.")
	jitterReordered = desc("jitter_reordered_packets_total", "Audio packets that came out of order, in time.")
	jitterDuplicate = desc("jitter_duplicate_packets_total", "Audio packets that came twice.")
	jitterDelay     = desc("jitter_delay_seconds", "Playout delay of the audio inputs, once a second and input.")

	videoFrames    = desc("video_frames_total", "Pictures: decoded of cameras, composed and encoded as mosaics, dropped anywhere.", "stage")
	videoReplays   = desc("video_replays_total", "Players started with the pictures since the last keyframe.")
	videoKeyframes = desc("video_keyframes_total", "Keyframes of mosaics.", "reason")

	rtpPackets = desc("rtp_packets_total", "RTP packets.", "direction")
	rtpResent  = desc("rtp_resent_packets_total", "RTP packets of mosaics sent again, since players asked.")
	rtpBytes   = desc("rtp_bytes_total", "Bytes of RTP packets, headers included.", "direction")
	rejected   = desc("rejected_total", "Requests and packets that were refused.", "reason")
	cpuTier    = desc("cpu_tier_info", "1 for the tier of kernels in use.", "tier")
)

// Describe implements prometheus.Collector.
func (c *collector) Describe(ch chan<- *prometheus.Desc) { prometheus.DescribeByCollect(c, ch) }

// Collect implements prometheus.Collector.
func (c *collector) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v int, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(v), labels...)
	}
	counter := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, v, labels...)
	}
	count := func(d *prometheus.Desc, v uint64, labels ...string) { counter(d, float64(v), labels...) }
	histogram := func(d *prometheus.Desc, h *metrics.Histogram) {
		n, sum, buckets := h.Snapshot()
		ch <- prometheus.MustNewConstHistogram(d, n, sum, buckets)
	}
	m := c.Engine.Metrics()

	totals := c.Engine.Totals()
	gauge(rooms, totals.Rooms)
	gauge(participants, totals.Participants)
	gauge(talkers, totals.Talkers)
	ch <- prometheus.MustNewConstMetric(engineLoad, prometheus.GaugeValue, c.Engine.Load())

	histogram(tickLateness, m.TickLateness)
	histogram(tickDuration, m.TickDuration)
	count(ticksSkipped, m.TicksSkipped.Load())

	count(opusEncodes, m.EncodesShared.Load(), "shared")
	count(opusEncodes, m.EncodesPrivate.Load(), "private")
	count(opusEncodes, m.EncodesWarm.Load(), "warm")
	count(opusLeftOut, m.PacketsLeftOut.Load())
	count(opusSilence, m.SilencePackets.Load())
	count(opusDecodes, m.Jitter.Normal.Load(), "normal")
	count(opusDecodes, m.Jitter.FEC.Load(), "fec")
	count(opusDecodes, m.Jitter.PLC.Load(), "plc")
	counter(limiterSeconds, float64(m.Limited.Load())/1e9)

	count(jitterLate, m.Jitter.Late.Load())
	count(jitterLost, m.Jitter.Lost.Load())
	count(jitterReordered, m.Jitter.Reordered.Load())
	count(jitterDuplicate, m.Jitter.Duplicate.Load())
	histogram(jitterDelay, m.JitterDelay)

	count(videoFrames, m.FramesDecoded.Load(), "decoded")
	count(videoFrames, m.FramesComposed.Load(), "composed")
	count(videoFrames, m.FramesEncoded.Load(), "encoded")
	count(videoFrames, m.FramesDropped.Load(), "dropped")
	count(videoReplays, m.Replays.Load())
	for reason := range metrics.KeyframeReasons {
		count(videoKeyframes, m.Keyframes[reason].Load(), reason.String())
	}

	s := c.Sessions()
	gauge(sessions, s.Publish, "publish")
	gauge(sessions, s.Play, "play")
	count(rtpPackets, s.PacketsIn, "in")
	count(rtpPackets, s.PacketsOut, "out")
	count(rtpResent, s.Resent)
	count(rtpBytes, s.BytesIn, "in")
	count(rtpBytes, s.BytesOut, "out")
	refused := s.Rejected
	refused["opus"] += m.Jitter.Invalid.Load()
	refused["h264"] += m.FramesRefused.Load()
	for reason, n := range c.Rejected() {
		refused[reason] += n // both sides may know a reason
	}
	for reason, n := range refused {
		count(rejected, n, reason)
	}
	gauge(cpuTier, 1, c.Tier)
}
