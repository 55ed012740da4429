package mix

// Encoders are told of one of few losses, for each change is a change of sound. With
// libopus 1.3.1 at 64 kbit/s, on recorded speech, of which 10 % of the packets get lost:
//
//	told   mode     SNR, spectra apart, over all frames   spectra of lost frames
//	0 %    CELT     10.9 dB, 3.3 dB                        12.5 dB
//	5 %    CELT     11.6 dB, 2.7 dB                        12.6 dB
//	6 %    hybrid    8.3 dB, 4.1 dB                         2.7 dB, by in-band FEC
//	20 %   hybrid    8.2 dB, 4.3 dB                         2.5 dB, by in-band FEC
//
// CELT has no FEC, but predicts less if it is told of 5 %, and forgets a loss sooner. FEC
// brings sounds back that are gone otherwise, and costs quality where nothing is lost
// (14.1 to 8.8 dB) and twice the time. So it has to wait until every tenth packet is lost.
var lossSteps = [...]struct {
	from    float64 // of the loss that is reported
	percent int     // that the encoder is told of
}{{0, 0}, {0.03, 5}, {0.1, 10}, {0.2, 20}}

// expectation is what an encoder is told of, an index of lossSteps.
type expectation int

// update takes the loss of those who listen. It rises at once, and falls only well below
// the step where it rose.
func (e *expectation) update(loss float64) {
	for int(*e)+1 < len(lossSteps) && loss >= lossSteps[*e+1].from {
		*e++
	}
	for *e > 0 && loss < lossSteps[*e].from*3/4 {
		*e--
	}
}
