package sqlstore

import "testing"

func TestNewEnough(t *testing.T) {
	for version, want := range map[string]bool{"3.51.3": true, "3.53.4": true, "4.0.0": true, "3.52": true, "3.51.2": false,
		"3.50.9": false, "2.99.99": false, "3.51": false, "": false, "x": false} {
		if newEnough(version) != want {
			t.Errorf("%q: got %v, want %v", version, !want, want)
		}
	}
}
