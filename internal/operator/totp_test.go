package operator_test

import (
	"testing"
	"time"

	"samla/internal/operator"
)

// RFC 6238 appendix B, SHA-1.
func TestCode_IsThatOfTheRFC(t *testing.T) {
	key := []byte("12345678901234567890")
	for at, want := range map[int64]string{59: "94287082", 1111111109: "07081804", 1111111111: "14050471", 1234567890: "89005924", 2000000000: "69279037", 20000000000: "65353130"} {
		if got := operator.Code(key, operator.Step(time.Unix(at, 0)), 8); got != want {
			t.Errorf("at %d: %s, not %s", at, got, want)
		}
	}
	// RFC 4226 appendix D.
	for step, want := range []string{"755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"} {
		if got := operator.Code(key, int64(step), operator.TOTPDigits); got != want {
			t.Errorf("step %d: %s, not %s", step, got, want)
		}
	}
}

func TestCheckCode_TakesEachCodeOnceAndInTime(t *testing.T) {
	key := []byte("12345678901234567890")
	now := operator.Step(start)
	for ahead := int64(-3); ahead <= 3; ahead++ {
		step, ok := operator.CheckCode(key, operator.Code(key, now+ahead, 6), 0, start)
		if near := ahead >= -1 && ahead <= 1; ok != near || ok && step != now+ahead {
			t.Errorf("a code of %d steps from now: %d, %v", ahead, step, ok)
		}
	}
	code := operator.Code(key, now, 6)
	if _, ok := operator.CheckCode(key, code, now, start); ok {
		t.Error("a code is good twice")
	}
	if _, ok := operator.CheckCode(key, code, now+1, start); ok {
		t.Error("a code from before the last one is good")
	}
	for _, wrong := range []string{"", "000000", code + "0", code[:5]} {
		if _, ok := operator.CheckCode(key, wrong, 0, start); ok {
			t.Errorf("%q is good", wrong)
		}
	}
	if _, ok := operator.CheckCode(nil, operator.Code(nil, now, 6), 0, start); ok {
		t.Error("without a key a code is good")
	}
}

func TestKeyURI_IsReadByApps(t *testing.T) {
	if got, want := operator.KeyURI([]byte("12345678901234567890"), "Samla console", "maria.ek"),
		"otpauth://totp/Samla%20console:maria.ek?issuer=Samla%20console&secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"; got != want {
		t.Errorf("%s, not %s", got, want)
	}
}
