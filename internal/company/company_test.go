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
