package company_test

import (
	"testing"

	"samla/internal/company"
)

func TestDeviceOf_FollowsLoginMethod(t *testing.T) {
	for method, want := range map[string]company.Device{
		"SWEDISH_MOBILE_BANKID_OTHER_DEVICE":     company.OtherDevice,
		"SWEDISH_MOBILE_BANKID_ANY_DEVICE":       company.OtherDevice,
		"SWEDISH_MOBILE_BANKID_SAME_DEVICE_TEST": company.SameDevice,
		"EMAIL":                                  company.AnyDevice, "": company.AnyDevice,
	} {
		if got := company.DeviceOf(method); got != want {
			t.Errorf("%s: %v, want %v", method, got, want)
		}
	}
}

func TestDirectory_SortsByIDAndKeepsLaterDuplicate(t *testing.T) {
	d := company.NewDirectory(company.Company{ID: "se-b"}, company.Company{ID: "dk-a"}, company.Company{ID: "se-b", PSD2: true})
	if all := d.All(); len(all) != 2 || all[0].ID != "dk-a" || all[0].Market() != "dk" || !all[1].PSD2 {
		t.Errorf("got %+v", all)
	}
	if _, ok := d.Find("se-c"); ok {
		t.Error("found a company that is not there")
	}
}
