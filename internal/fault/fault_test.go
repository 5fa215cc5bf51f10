package fault_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"samla/internal/fault"
)

func TestCodes_HaveInfo(t *testing.T) {
	for _, c := range fault.Codes() {
		info := fault.Of(c)
		if info.Status < 400 || info.Title == "" || info.Message == "" || info.Attribution == "" {
			t.Errorf("%s: incomplete: %+v", c, info)
		}
		if !strings.HasSuffix(info.Remedy, ".") {
			t.Errorf("%s: remedy is not a sentence: %q", c, info.Remedy)
		}
		if strings.ToUpper(string(c)) != string(c) || strings.Contains(string(c), "-") {
			t.Errorf("%s: not in upper case with underscores", c)
		}
	}
}

func TestFrom_KeepsFaultsAndHidesOtherErrors(t *testing.T) {
	f := fault.Detailed(fault.ConsentExpired, "at noon")
	if got := fault.From(fmt.Errorf("step: %w", f)); got != f {
		t.Errorf("got %v", got)
	}
	secret := errors.New("dial tcp: token=abc")
	got := fault.From(secret)
	if got.Code != fault.Internal || strings.Contains(got.Error(), "abc") {
		t.Errorf("got %v", got)
	}
	if !errors.Is(got, secret) {
		t.Error("the cause is lost")
	}
	if fault.From(nil) != nil || fault.CodeOf(nil) != "" {
		t.Error("nil became a fault")
	}
}

func TestIs_ComparesCodes(t *testing.T) {
	err := fmt.Errorf("x: %w", fault.Detailed(fault.UserExists, "d"))
	if !errors.Is(err, fault.New(fault.UserExists)) || errors.Is(err, fault.New(fault.UserNotFound)) {
		t.Error("errors.Is does not go by code")
	}
}
