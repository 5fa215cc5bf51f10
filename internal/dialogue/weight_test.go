package dialogue_test

import (
	"strings"
	"testing"

	"samla/internal/dialogue"
)

// Whatever large member a turn has, the state weighs at least as much.
func TestWeight_CountsWhatIsLarge(t *testing.T) {
	large := strings.Repeat("x", 100_000)
	light := dialogue.State{}.Weight()
	for name, s := range map[string]dialogue.State{
		"a picture": {Turn: dialogue.Turn{Wait: &dialogue.Wait{QRImage: large}}},
		"a message": {Turn: dialogue.Turn{Ask: &dialogue.Ask{Message: large}}},
		"choices":   {Turn: dialogue.Turn{Ask: &dialogue.Ask{Choices: []dialogue.Choice{{ID: "a", Name: large}}}}},
		"inputs":    {Turn: dialogue.Turn{Ask: &dialogue.Ask{Inputs: []string{large}}}},
		"a body":    {Turn: dialogue.Turn{Device: &dialogue.Device{Request: dialogue.DeviceRequest{Body: large}}}},
		"a header":  {Turn: dialogue.Turn{Device: &dialogue.Device{Request: dialogue.DeviceRequest{Headers: map[string]string{"a": large}}}}},
		"a cookie":  {Turn: dialogue.Turn{Device: &dialogue.Device{Request: dialogue.DeviceRequest{Cookies: []dialogue.Cookie{{Value: large}}}}}},
		"questions": {Asked: []string{large}},
	} {
		if got := s.Weight(); got < light+len(large) {
			t.Errorf("%s: %d, an empty one %d", name, got, light)
		}
	}
}
