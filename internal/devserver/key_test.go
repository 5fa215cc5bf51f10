package devserver_test

import (
	"context"
	"testing"

	"samla/internal/devserver"
)

// A key stays good over restarts, also one of an earlier release, whose client had another
// name.
func TestStart_AcceptsTheKeyOfAnEarlierRelease(t *testing.T) {
	dir, key := t.TempDir(), ""
	for _, wanted := range []string{"", "samla_earlier", "samla_earlier"} {
		l, err := devserver.Start(t.Context(), devserver.Config{Dir: dir, APIKey: wanted})
		if err != nil {
			t.Fatal(err)
		}
		if key == "" { // an earlier release made this one
			if _, _, err := l.Server.Authn.CreateKey(t.Context(), "local", "local", "samla_earlier"); err != nil {
				t.Error(err)
			}
		} else if l.APIKey != wanted {
			t.Errorf("the key is %q", l.APIKey)
		}
		key = l.APIKey
		if err := l.Stop(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	}
}
