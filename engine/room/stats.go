package room

// Stats are the numbers of one room at one moment. Its slices list streams in the order
// in which they were added; they are never nil,
// nor is the map, so that JSON has [] and {} and not null.
type Stats struct {
	Name string `json:"name"`
	Options
	Layout       string   `json:"layout"`       // now, which may be another than that of Options
	Participants int      `json:"participants"` // streams, publishing or not
	Talking      []string `json:"talking"`
	Viewers      int      `json:"viewers"` // sessions that play the room
	Publishing   []string `json:"publishing"`
	MutedAudio   []string `json:"muted_audio"`
	MutedVideo   []string `json:"muted_video"`
	NotShown     []string `json:"not_shown"` // for whom the layout has no cell

	Gains map[string]float64 `json:"gains"` // dB, of the streams that have one
}
