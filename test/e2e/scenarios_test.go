package e2e

import (
	"testing"

	"samla/test/harness"
)

// scenarios can run in parallel in one env, each with a different person.
var scenarios = map[string]func(*testing.T, *env){
	"consent on another device":       otherDeviceConsent,
	"consent on the same device":      sameDeviceConsent,
	"the person cancels":              consentEnds(tim, "cancel", "", "AUTHENTICATION_CANCELLED"),
	"another person signs":            consentEnds(leo, "approve", sten, "AUTHENTICATION_MISMATCH"),
	"two consents at once":            concurrentConsents,
	"revoked while waiting":           revokedWaiting,
	"revoked when authorized":         revokedAuthorized,
	"revoked while the bank is down":  revokedBankDown,
	"revoked at the bank":             revokedAtBank,
	"one-time with a session":         oneTimeSession,
	"one-time with the API key":       oneTimeKey,
	"one-time with the number alone":  oneTimeNumberAlone,
	"one-time, the person cancels":    oneTimeEnds(tolvan, "cancel", "", "AUTHENTICATION_CANCELLED"),
	"one-time, another person signs":  oneTimeEnds(per, "approve", sten, "AUTHENTICATION_MISMATCH"),
	"one-time, stopped by the client": oneTimeStopped,
	"one-time with a static QR code":  oneTimeStaticQR,
	"data is deleted":                 deletedCollection,
	"background refreshes":            backgroundLimit,
	"a limited consent":               limitedScope,
	"a filtered collection":           filteredCollection,
	"a user is erased":                erasedUser,
	"two tenants":                     separateTenants,
	"session tokens":                  sessionTokens,
	"behind a gateway":                gatewayConsent,
	"behind a gateway, refused":       gatewayRefused,
	"behind a gateway, elsewhere":     gatewayElsewhere,
}

// TestScenarios_OnEachStore runs all scenarios on each store.
func TestScenarios_OnEachStore(t *testing.T) {
	for name, database := range harness.Stores {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newEnv(t, database(t), clockSpeed)
			t.Run("all", func(t *testing.T) {
				for name, scenario := range scenarios {
					t.Run(name, func(t *testing.T) {
						t.Parallel()
						scenario(t, w)
					})
				}
			})
		})
	}
}
