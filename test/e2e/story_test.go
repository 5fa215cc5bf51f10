package e2e

import (
	"testing"

	"samla/test/harness"
)

// stories are the scenarios that get on with each other in one world: they run
// side by side, each with a person of its own.
var stories = map[string]func(*testing.T, *world){
	"consent on another device":        otherDeviceConsent,
	"consent on the same device":       sameDeviceConsent,
	"the person cancels":               consentEnds(tim, "cancel", "", "AUTHENTICATION_CANCELLED"),
	"somebody else signs":              consentEnds(leo, "approve", sten, "AUTHENTICATION_MISMATCH"),
	"two consents at once":             twoAtOnce,
	"revoked while waiting":            revokedWaiting,
	"revoked when authorized":          revokedAuthorized,
	"revoked while the bank is down":   revokedBankDown,
	"withdrawn at the bank":            withdrawnAtBank,
	"one-time with a session":          oneTimeSession,
	"one-time with the API key":        oneTimeKey,
	"one-time, the person cancels":     oneTimeEnds(tolvan, "cancel", "", "AUTHENTICATION_CANCELLED"),
	"one-time, somebody else signs":    oneTimeEnds(per, "approve", sten, "AUTHENTICATION_MISMATCH"),
	"one-time, stopped by the client":  oneTimeStopped,
	"one-time at a bank with pictures": oneTimePicture,
	"data is erased":                   erased,
	"background refreshes":             backgroundLimit,
	"a limited consent":                limitedScope,
	"a filtered collection":            filtered,
	"a user is forgotten":              forgotten,
	"two tenants":                      tenants,
	"session tokens":                   sessionTokens,
}

// TestStories runs them on each store.
func TestStories(t *testing.T) {
	for name, database := range harness.Stores {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, database(t), speed)
			t.Run("all", func(t *testing.T) {
				for name, story := range stories {
					t.Run(name, func(t *testing.T) {
						t.Parallel()
						story(t, w)
					})
				}
			})
		})
	}
}
