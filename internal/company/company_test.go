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
		"EMAIL":                                  company.UnknownDevice, "": company.UnknownDevice,
	} {
		if got := company.DeviceOf(method); got != want {
			t.Errorf("%s: %v, want %v", method, got, want)
		}
	}
}

func TestCompany_KnowsWhatALoginNeeds(t *testing.T) {
	c := company.Company{Needs: []string{company.NeedsEmail}}
	if !c.NeedsToKnow(company.NeedsEmail) || c.NeedsToKnow(company.NeedsPersonalNumber) {
		t.Errorf("got %v", c.Needs)
	}
}
