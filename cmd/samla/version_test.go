package main

import (
	"runtime/debug"
	"strings"
	"testing"
)

func TestVersion_PrintsWhatTheBuildKnows(t *testing.T) {
	info := &debug.BuildInfo{Main: debug.Module{Version: "v1.2.3"}, Settings: []debug.BuildSetting{
		{Key: "vcs.revision", Value: "0123456789abcdef0123456789abcdef01234567"}, {Key: "vcs.time", Value: "2026-11-26T21:00:00Z"}, {Key: "vcs.modified", Value: "true"}}}
	for name, c := range map[string]struct {
		info *debug.BuildInfo
		want string
	}{
		"a release":        {&debug.BuildInfo{Main: debug.Module{Version: "v1.2.3"}}, "samla v1.2.3\n"},
		"a working tree":   {info, "samla v1.2.3, revision 0123456789ab of 2026-11-26T21:00:00Z, modified\n"},
		"a development":    {&debug.BuildInfo{Main: debug.Module{Version: "(devel)"}}, "samla devel\n"},
		"without a module": {nil, "samla devel\n"},
	} {
		var out strings.Builder
		if err := versionOf(c.info).print(&out); err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(out.String(), c.want) || !strings.Contains(out.String(), "2026-04-01") {
			t.Errorf("%s: printed %q, want %q", name, out.String(), c.want)
		}
	}
}
