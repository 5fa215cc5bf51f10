// Package storetest is the conformance suite of package store: it checks that an
// engine does what the comments of the port say. The tests of an engine call Run.
package storetest

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"samla/internal/client"
	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/store"
	"samla/internal/user"
)

// limit bounds everything that a test waits for, on a busy machine too.
const limit = 2 * time.Minute

// start is the time at which the tests begin.
var start = time.Date(2026, 4, 1, 8, 0, 0, 123456000, time.UTC)

// Run tests the stores that open returns. Each call of open returns an empty one,
// which is closed at the end of its t. The tests run in parallel.
func Run(t *testing.T, open func(t *testing.T) store.Store) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, fixture)
	}{
		{"Clients", testClients}, {"APIKeys", testAPIKeys}, {"ReturnURLs", testReturnURLs}, {"Visits", testVisits}, {"SweepVisits", testSweepVisits}, {"Persons", testPersons},
		{"Operators", testOperators}, {"OperatorsAreLocked", testOperatorsAreLocked}, {"OperatorSessions", testOperatorSessions}, {"SignInAttempts", testSignInAttempts}, {"SweepOperators", testSweepOperators}, {"Users", testUsers}, {"CreateUsers", testCreateUsers}, {"ErrExistsIsCommitted", testErrExistsIsCommitted},
		{"ErrConflictIsCommitted", testErrConflictIsCommitted}, {"AnonymizedUser", testAnonymizedUser},
		{"Consents", testConsents}, {"Collections", testCollections}, {"CompareAndSwap", testCompareAndSwap},
		{"UpdateLosesNothing", testUpdateLosesNothing}, {"UpdateWritesNothing", testUpdateWritesNothing},
		{"UpdateStartsAgain", testUpdateStartsAgain}, {"UpdateEndsWithContext", testUpdateEndsWithContext},
		{"UpdateUserExists", testUpdateUserExists}, {"LockUser", testLockUser},
		{"EraseUserData", testEraseUserData}, {"EraseUserScopes", testEraseUserScopes}, {"EraseAccounts", testEraseAccounts}, {"EraseLetsOthersWrite", testEraseLetsOthersWrite},
		{"EraseLocksOneUser", testEraseLocksOneUser}, {"LiveRowsOfUser", testLiveRowsOfUser},
		{"CompareAndSwapHasOneWinner", testCompareAndSwapHasOneWinner}, {"Rollback", testRollback}, {"ReadsOwnWrites", testReadsOwnWrites},
		{"ErrorsLeaveTransactionUsable", testErrorsLeaveTransactionUsable}, {"Panic", testPanic}, {"CanceledContext", testCanceledContext},
		{"LockConsent", testLockConsent}, {"LineageConsents", testLineageConsents}, {"UnattendedOfLineage", testUnattendedOfLineage}, {"ConsentPages", testConsentPages}, {"CollectionPages", testCollectionPages},
		{"UnattendedSince", testUnattendedSince}, {"WakeCollection", testWakeCollection}, {"RecordPoll", testRecordPoll},
		{"JobAttempts", testJobAttempts}, {"RetryJob", testRetryJob}, {"ParkedJobs", testParkedJobs}, {"FailureOfEarlierClaim", testFailureOfEarlierClaim},
		{"RenewLeases", testRenewLeases}, {"Dialogues", testDialogues},
		{"RefreshPlans", testRefreshPlans}, {"Schedules", testSchedules}, {"ScheduleHasOneWinner", testScheduleHasOneWinner}, {"UnattendedCalls", testUnattendedCalls},
		{"QueuedCollections", testQueuedCollections}, {"LastReads", testLastReads}, {"AuthorizedConsents", testAuthorizedConsents},
		{"Accounts", testAccounts}, {"AccountsHaveOneWinner", testAccountsHaveOneWinner}, {"EraseLastingAccounts", testEraseLastingAccounts}, {"SweepAccounts", testSweepAccounts},
		{"Data", testData}, {"CollectionsWithData", testCollectionsWithData}, {"Outbox", testOutbox}, {"SigningKeys", testSigningKeys}, {"AuditLog", testAuditLog},
		{"Feeds", testFeeds}, {"SweepFeeds", testSweepFeeds}, {"DropFeeds", testDropFeeds}, {"FeedHasNoGaps", testFeedHasNoGaps},
		{"Events", testEvents}, {"EventTwice", testEventTwice}, {"EventSignal", testEventSignal}, {"EventsInCommitOrder", testEventsInCommitOrder},
		{"WebhookEndpoints", testWebhookEndpoints}, {"FanOut", testFanOut}, {"ResumeBesideFanOut", testResumeBesideFanOut}, {"WebhookAttempts", testAttempts}, {"DueDeliveriesModel", testDueDeliveriesModel},
		{"WebhookReplays", testWebhookReplays}, {"WebhookLease", testWebhookLease},
		{"Idempotency", testIdempotency}, {"IdempotencyRace", testIdempotencyRace}, {"Sweep", testSweep},
		{"SweepIsBounded", testSweepIsBounded}, {"SweepDestroysKeys", testSweepDestroysKeys}, {"DataKeys", testDataKeys}, {"DataKeyRace", testDataKeyRace},
		{"ClaimOrder", testClaimOrder}, {"ClaimLimitsCompanies", testClaimLimitsCompanies}, {"ClaimOverdue", testClaimOverdue}, {"ClaimHandsOutOnce", testClaimHandsOutOnce}, {"ClaimLeavesRowsNotDue", testClaimLeavesRowsNotDue},
		{"ConsentStatus", testConsentStatus}, {"CollectionStatus", testCollectionStatus}, {"UserStatus", testUserStatus}, {"StatusSeesWrites", testStatusSeesWrites},
		{"Availability", testAvailability},
		{"ConnectLinks", testConnectLinks}, {"ConnectLinkOpensOnce", testConnectLinkOpensOnce}, {"ConnectFlows", testConnectFlows}, {"ReadingFlows", testReadingFlows},
		{"EraseConnect", testEraseConnect}, {"SweepConnect", testSweepConnect}, {"FrameOrigins", testFrameOrigins},
		{"EndedSince", testEndedSince}, {"Journeys", testJourneys}, {"ConsoleRows", testConsoleRows}, {"EndingConsents", testEndingConsents}, {"ScheduleRows", testScheduleRows},
		{"EndpointRows", testEndpointRows}, {"ParkedRows", testParkedRows}, {"AuditEntriesOf", testAuditEntriesOf}, {"AuditPlaces", testAuditPlaces}, {"Uses", testUses}, {"Deviations", testDeviations},
		{"Installation", testInstallation}, {"WrappedKeys", testWrappedKeys}, {"SystemRows", testSystemRows}, {"UnstorableTexts", testUnstorableTexts}, {"MixedLoad", testMixedLoad},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel() // they wait for disks
			ctx, cancel := context.WithTimeout(context.Background(), limit)
			t.Cleanup(cancel)
			f := fixture{T: t, ctx: ctx, s: open(t)}
			f.client, f.user = f.addClient(), user.User{}
			f.user = f.addUser(f.client)
			test.run(t, f)
		})
	}
}

// fixture is a store with one client and one user of it.
type fixture struct {
	*testing.T
	ctx    context.Context
	s      store.Store
	client client.Client
	user   user.User
}

// newID returns an id that is greater than all before it.
func newID() string { return uuid.Must(uuid.NewV7()).String() }

// write runs fn in a transaction that must succeed.
func (f fixture) write(fn func(store.Tx) error) {
	f.Helper()
	if err := f.s.Write(f.ctx, fn); err != nil {
		f.Errorf("write: %v", err)
	}
}

// fails runs fn in a transaction that must end with the error want.
func (f fixture) fails(want error, fn func(store.Tx) error) {
	f.Helper()
	if err := f.s.Write(f.ctx, fn); !errors.Is(err, want) {
		f.Errorf("got error %v, want %v", err, want)
	}
}

// check compares, and fails when err is not nil.
func check[T any](f fixture, what string, got T, err error, want T) {
	f.Helper()
	if err != nil {
		f.Errorf("%s: %v", what, err)
	} else if diff := cmp.Diff(want, got); diff != "" {
		f.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// missing fails unless err is store.ErrNotFound.
func missing[T any](f fixture, what string, _ T, err error) {
	f.Helper()
	if !errors.Is(err, store.ErrNotFound) {
		f.Errorf("%s: got error %v, want %v", what, err, store.ErrNotFound)
	}
}

func (f fixture) addClient() client.Client {
	f.Helper()
	c := client.Client{ID: newID(), Name: "a bank's friend", CreatedAt: start}
	f.write(func(tx store.Tx) error { return tx.AddClient(f.ctx, c) })
	return c
}

func newUser(c client.Client) user.User {
	id := newID()
	return user.User{ID: id, ClientID: c.ID, ExternalID: "customer-" + id, CreatedAt: start, UpdatedAt: start}
}

func (f fixture) addUser(c client.Client) user.User {
	f.Helper()
	u := newUser(c)
	f.write(func(tx store.Tx) error { return tx.AddUser(f.ctx, u) })
	return u
}

// newConsent returns a consent of the fixture's user with every member set.
func (f fixture) newConsent() consent.Consent {
	return consent.Consent{ID: consent.ID(newID()), ClientID: f.client.ID, UserID: f.user.ID, Company: "testbank", LoginMethod: "BANKID",
		Status: consent.Authorized, Step: consent.StepKeep, Requested: consent.Scope{Balances: true, Transactions: true},
		Granted:   &consent.Scope{AccountIDs: []string{"a", "b"}, Balances: true},
		CreatedAt: start, StatusChangedAt: start.Add(time.Second), AuthorizeBy: start.Add(2 * time.Second),
		ExpiresAt: start.Add(3 * time.Second), SCAExpiresAt: start.Add(4 * time.Second), RevokedAt: start.Add(5 * time.Second),
		Failure: consent.BankError, OpenRequestID: "open", AuthorizeRequestID: "authorise",
		Lineage: "first", Renews: "before", RenewedBy: "after", Warned: start.Add(7 * time.Second), Visit: &consent.Visit{Hash: "hash", ReturnTo: "https://client.example/back"}, Purpose: "show your accounts", Sealed: []byte{0, 1, 255},
		Rev: 7, WakeAt: start.Add(6 * time.Second)}
}

func (f fixture) addConsent(change func(*consent.Consent)) consent.Consent {
	f.Helper()
	c := f.newConsent()
	if change != nil {
		change(&c)
	}
	f.write(func(tx store.Tx) error { return tx.AddConsent(f.ctx, c) })
	return c
}

// newCollection returns a collection of the fixture's user with every member set.
func (f fixture) newCollection() collection.Collection {
	return collection.Collection{ID: newID(), ClientID: f.client.ID, UserID: f.user.ID, ConsentID: consent.ID(newID()), Company: "testbank",
		LoginMethod: "BANKID", Version: collection.V20250101, Mode: collection.Stored, Attended: true, Filter: []string{"x"}, Status: collection.Completed,
		CreatedAt: start, StatusChangedAt: start.Add(time.Second), PolledAt: start.Add(2 * time.Second),
		DataUntil: start.Add(3 * time.Second), ErasedAt: start.Add(4 * time.Second), Mapping: 2001, Sealed: []byte{0, 2, 254},
		Rev: 3, WakeAt: start.Add(5 * time.Second)}
}

func (f fixture) addCollection(change func(*collection.Collection)) collection.Collection {
	f.Helper()
	k := f.newCollection()
	if change != nil {
		change(&k)
	}
	f.write(func(tx store.Tx) error { return tx.AddCollection(f.ctx, k) })
	return k
}

// together runs fn in n goroutines and waits for all.
func together(n int, fn func(i int)) {
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { fn(i) })
	}
	all.Wait()
}
