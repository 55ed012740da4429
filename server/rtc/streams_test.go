package rtc

import (
	"testing"

	"github.com/pion/rtcp"
	"github.com/pion/transport/v5/packetio"
)

// TestTransportFeedback: feedback on all packets of a session is taken whatever SSRC it names,
// and other RTCP is left to who reads that SSRC's.
func TestTransportFeedback(t *testing.T) {
	var taken []uint32
	s := &streams{feedback: func(packet []byte) {
		var fb rtcp.TransportLayerCC
		if err := fb.Unmarshal(packet); err != nil {
			t.Fatal(err)
		}
		taken = append(taken, fb.MediaSSRC)
	}}
	for _, ssrc := range []uint32{testSSRC, testRTX} {
		b := s.buffer(packetio.RTCPBufferPacket, ssrc)
		fb, err := (&rtcp.TransportLayerCC{
			Header:    rtcp.Header{Count: rtcp.FormatTCC, Type: rtcp.TypeTransportSpecificFeedback, Length: 5, Padding: true},
			MediaSSRC: ssrc, PacketStatusCount: 1,
			PacketChunks: []rtcp.PacketStatusChunk{&rtcp.RunLengthChunk{RunLength: 1, PacketStatusSymbol: rtcp.TypeTCCPacketReceivedSmallDelta}},
			RecvDeltas:   []*rtcp.RecvDelta{{Type: rtcp.TypeTCCPacketReceivedSmallDelta}},
		}).Marshal()
		if err != nil {
			t.Fatal(err)
		}
		pli, err := (&rtcp.PictureLossIndication{MediaSSRC: ssrc}).Marshal()
		if err != nil {
			t.Fatal(err)
		}
		for _, packet := range [][]byte{fb, pli} {
			if n, err := b.Write(packet); n != len(packet) || err != nil {
				t.Fatalf("%d, %v of %d bytes", n, err, len(packet))
			}
		}
		left := make([]byte, 100)
		if n, err := b.Read(left); err != nil || string(left[:n]) != string(pli) {
			t.Errorf("left are %x, %v; want %x", left[:n], err, pli)
		}
	}
	if len(taken) != 2 || taken[0] != testSSRC || taken[1] != testRTX {
		t.Errorf("feedback of %v is taken", taken)
	}
}
