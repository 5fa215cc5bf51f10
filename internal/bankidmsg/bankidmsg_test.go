package bankidmsg

import (
	"slices"
	"strings"
	"testing"
)

func TestMessage_FollowsStatusHintAndDevice(t *testing.T) {
	for _, tt := range []struct {
		status, hint    string
		onDevice, viaQR string
	}{
		{"pending", "outstandingTransaction", "RFA13", "RFA1"},
		{"pending", "noClient", "RFA1", "RFA1"},
		{"pending", "started", "RFA15B", "RFA15A"},
		{"pending", "userSign", "RFA9", "RFA9"},
		{"pending", "userMrtd", "RFA23", "RFA23"},
		{"pending", "userFace", "RFA24", "RFA24"},
		{"pending", "userStepUp", "RFA25", "RFA25"},
		{"pending", "processing", "RFA21", "RFA21"},
		{"pending", "userCallConfirm", "RFA21", "RFA21"},
		{"pending", "", "RFA21", "RFA21"},
		{"failed", "expiredTransaction", "RFA8", "RFA8"},
		{"failed", "certificateErr", "RFA16", "RFA16"},
		{"failed", "userCancel", "RFA6", "RFA6"},
		{"failed", "cancelled", "RFA3", "RFA3"},
		{"failed", "startFailed", "RFA17A", "RFA17B"},
		{"failed", "mrtdVerificationFailed", "RFA26", "RFA26"},
		{"failed", "facialRecognitionFailed", "RFA27", "RFA27"},
		{"failed", "nfcNotSupportedByDevice", "RFA28", "RFA28"},
		{"failed", "multipleBankIdsOnDevice", "RFA29", "RFA29"},
		{"failed", "stepUpFailed", "RFA30", "RFA30"},
		{"failed", "transactionRiskBlocked", "RFA22", "RFA22"},
		{"failed", "userSign", "RFA22", "RFA22"}, // a hint of another status is unknown
		{"complete", "", "", ""},
		{"complete", "userSign", "", ""},
		{"", "", "RFA22", "RFA22"},
	} {
		for _, lang := range []string{"sv", "en"} {
			if code, text := Message(tt.status, tt.hint, false, lang); code != tt.onDevice || text != Text(code, lang) {
				t.Errorf("%s/%s on the device: %s %q, want %s", tt.status, tt.hint, code, text, tt.onDevice)
			}
			if code, text := Message(tt.status, tt.hint, true, lang); code != tt.viaQR || text != Text(code, lang) {
				t.Errorf("%s/%s with a QR code: %s %q, want %s", tt.status, tt.hint, code, text, tt.viaQR)
			}
		}
	}
}

func TestForError_FollowsErrorCode(t *testing.T) {
	for errorCode, want := range map[string]string{
		"alreadyInProgress": "RFA4", "requestTimeout": "RFA5", "internalError": "RFA5",
		"maintenance": "RFA5", "invalidParameters": "RFA22", "": "RFA22",
	} {
		if code, text := ForError(errorCode, "sv"); code != want || text != Text(want, "sv") {
			t.Errorf("%s: %s %q, want %s", errorCode, code, text, want)
		}
	}
}

func TestTexts_CoverEveryCodeInEveryLanguage(t *testing.T) {
	for lang, messages := range texts {
		if len(messages) != 27 {
			t.Errorf("%s has %d messages, want 27", lang, len(messages))
		}
		for code, text := range messages {
			if strings.TrimSpace(text) != text || text == "" {
				t.Errorf("%s %s: %q", lang, code, text)
			}
			if slices.Contains([]string{"RFA7", "RFA10", "RFA11", "RFA12", "RFA14"}, code) {
				t.Errorf("%s has %s, which is retired", lang, code)
			}
			if texts["en"][code] == "" || texts["sv"][code] == "" {
				t.Errorf("%s is missing in a language", code)
			}
		}
	}
	for k, code := range codes {
		if Text(code, "sv") == "" {
			t.Errorf("%v leads to %s, which has no text", k, code)
		}
	}
}

func TestText_FallsBackToEnglish(t *testing.T) {
	for lang, want := range map[string]string{
		"sv": "Starta BankID-appen.", "sv-SE": "Starta BankID-appen.", "SV-se": "Starta BankID-appen.",
		"en": "Start your BankID app.", "en-GB": "Start your BankID app.",
		"no-NO": "Start your BankID app.", "": "Start your BankID app.", "svenska": "Start your BankID app.",
	} {
		if got := Text("RFA1", lang); got != want {
			t.Errorf("%q: %q, want %q", lang, got, want)
		}
	}
	if got := Text("RFA7", "sv"); got != "" {
		t.Errorf("a retired code has the text %q", got)
	}
}
