package wiretest

import (
	"slices"
	"testing"

	"samla/internal/fault"
)

func TestDocumented_ListsStatusesAndCodes(t *testing.T) {
	all := mustLoad(t).Documented()
	for _, want := range []Documented{
		{"createUser", 201, ""}, {"createUser", 409, fault.UserExists}, {"createUser", 409, fault.IdempotencyInProgress},
		{"getWealthData", 304, ""}, {"getReadiness", 503, ""}, {"initiateCollection", 429, fault.BackgroundRefreshLimit}, {"getHealth", 431, fault.HeadersTooLarge},
	} {
		if !slices.Contains(all, want) {
			t.Errorf("%+v is not listed", want)
		}
	}
	for _, d := range all { // every error of the document has its codes in the rules
		if d.Status >= 400 && d.Code == "" && d.Operation != "getReadiness" {
			t.Errorf("%+v has no code", d)
		}
		if d.Code != "" && fault.Of(d.Code).Status != d.Status {
			t.Errorf("%+v has the status %d", d, fault.Of(d.Code).Status)
		}
	}
	if len(all) < 200 {
		t.Errorf("%d answers", len(all))
	}
}
