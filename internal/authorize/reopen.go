package authorize

import (
	"context"
	"errors"
	"time"

	"samla/internal/consent"
	"samla/internal/institution"
	"samla/internal/jobs"
	"samla/internal/outbox"
	"samla/internal/psu"
	"samla/internal/store"
)

// A process may die after the bank has created a consent and before the remote id is
// stored. When such a consent ends, its opening is repeated with the same
// X-Request-ID to learn the remote id, and then the consent is revoked. This needs a
// bank that recognizes the repeat.

// reopenWithin is how long after the end of a consent its opening is repeated. The
// message holds the person's data meanwhile, also after the user is erased. Banks
// are seldom out of reach for longer. What may be left at the bank is not signed and
// gives no access, so it is no reason to keep a personal number for months.
const reopenWithin = 7 * 24 * time.Hour

// openRequest is the request that opens c at its bank, the same on every repeat.
func openRequest(c consent.Consent, person psu.Context) institution.OpenRequest {
	return institution.OpenRequest{RequestID: c.OpenRequestID, Scope: c.Requested, ValidUntil: c.ExpiresAt,
		Recurring: c.CollectionID == "", PSU: person, OtherDevice: otherDevice(c)}
}

// openRequest is the request that opens the consent of the job, with what the person's way
// needs.
func (j *job) openRequest() institution.OpenRequest {
	r := openRequest(j.c, j.secret.Context)
	r.Token, r.Way = j.secret.Tokens.Access, j.wayTo(j.c.Company, j.secret.Way)
	return r
}

// openingClaimed reports whether a handler may have begun to open c. A new row is
// due when it is created. A claim changes that, and so does every write.
func openingClaimed(c consent.Consent) bool {
	return (c.Step == consent.StepOpen || c.Step == consent.StepOpening) && (c.Rev > 0 || !c.WakeAt.Equal(c.CreatedAt))
}

// firstClaim reports whether this is the first handler of the row since the row was
// written, so that no other can have died during a call. The claim that Create makes
// for its own process is not counted in the row; if that handler dies, the row is
// claimed again a lease later.
func (j *job) firstClaim(ctx context.Context) bool {
	return jobs.Attempts(ctx) == 1 && (j.c.Rev > 0 || j.c.WakeAt.Before(j.c.CreatedAt.Add(2*jobs.Lease)))
}

// mayHaveOpened reports whether the bank may have created a consent although the
// call failed: there was no answer, or none that can be used. Any other error is a
// refusal, also that of a bank that has too much to do now.
func mayHaveOpened(err error) bool {
	kind := institution.KindOf(err)
	return kind == institution.Unreachable && !notHandled(err) || kind == institution.MalformedResponse || kind == institution.ForeignAddress
}

// canReopen reports whether an opening of c can be repeated to learn its id.
func (s *Service) canReopen(c consent.Consent) bool {
	bank := s.Institutions.Of(c.Company)
	return bank.Opener != nil && bank.Revoker != nil && bank.Profile.ReplaySafe
}

// reopening plans the message that repeats the opening of c and revokes the consent.
// The id of the message is the X-Request-ID of the opening. It is due when the lease
// of a handler that may wait for the bank's answer is over. It holds no personal
// number where the opening sends none.
func (s *Service) reopening(ctx context.Context, c consent.Consent, secret consent.Secret) (*outbox.Message, error) {
	person := secret.Context
	if s.Institutions.Of(c.Company).Profile.OpensWithoutNumber {
		person.PersonalNumber = ""
	}
	m, err := s.revocationAs(ctx, c.OpenRequestID, c, outbox.Revocation{PSU: &person, AccountIDs: c.Requested.AccountIDs, Way: secret.Way})
	if c.WakeAt.After(m.WakeAt) {
		m.WakeAt = c.WakeAt
	}
	return m, err
}

// revokeLate plans the revocation of what the bank has created, or has given tokens for,
// while another writer ended the row. The message takes the place of the one that would
// repeat the opening.
func (j *job) revokeLate(ctx context.Context) error {
	c, err := j.Store.Consent(ctx, j.c.ID)
	if err != nil || !c.Status.Final() {
		return err
	}
	m, err := j.revocationAs(ctx, c.OpenRequestID, c, revocationOf(j.secret))
	if err != nil {
		return err
	}
	err = j.Store.Write(ctx, func(tx store.Tx) error {
		if err := tx.PutOutboxMessage(ctx, *m); !errors.Is(err, store.ErrNotFound) {
			return err
		}
		return tx.AddOutboxMessage(ctx, *m)
	})
	if err != nil {
		return err
	}
	j.Jobs.Wake(store.Outbox)
	return nil
}

// errNothingToRevoke says that the bank has no consent that could be revoked.
var errNothingToRevoke = errors.New("the bank has no such consent")

// reopen repeats the opening of a consent that has ended, and stores the remote id
// in the message in place of the person's data. Errors: errNothingToRevoke when the
// bank refuses, when the consent has expired there, when the bank does not recognize
// the repeat any more, or when reopenWithin is over.
func (s *Service) reopen(ctx context.Context, m *outbox.Message, r outbox.Revocation) (consent.RemoteID, error) {
	c, err := s.Store.Consent(ctx, m.ConsentID)
	if err != nil {
		return "", err
	}
	if r.AccountIDs != nil {
		c.Requested.AccountIDs = r.AccountIDs
	}
	bank := s.Institutions.Of(m.Company)
	switch {
	case !s.Clock.Now().Before(c.ExpiresAt):
		return "", errNothingToRevoke
	case !s.Clock.Now().Before(m.CreatedAt.Add(reopenWithin)):
		s.reportLeftover(c)
		return "", errNothingToRevoke
	case bank.Opener == nil:
		return "", errNotConfigured
	case !bank.Profile.ReplaySafe:
		s.reportLeftover(c)
		return "", errNothingToRevoke
	}
	again := openRequest(c, *r.PSU)
	again.Way = s.wayTo(c.Company, r.Way)
	opened, err := bank.Opener.OpenConsent(ctx, again)
	if opened.ConsentID != "" {
		err = nil // what has to follow is of no use any more
	}
	if err != nil && !mayHaveOpened(err) && !notHandled(err) {
		s.Log.Info("a bank refused to repeat an opening", "company", c.Company, "consent", c.ID, "error", err)
		return "", errNothingToRevoke
	}
	if err != nil {
		return "", err
	}
	if m.Sealed, err = s.sealRevocation(ctx, m.ID, outbox.Revocation{RemoteID: opened.ConsentID}); err != nil {
		return "", err
	}
	return opened.ConsentID, s.Store.Write(context.WithoutCancel(ctx), func(tx store.Tx) error { return tx.PutOutboxMessage(ctx, *m) })
}

// reportLeftover logs that the bank may keep a consent that cannot be revoked,
// because its remote id is not known and its opening cannot be repeated: the bank
// would create a second consent, or did not answer within reopenWithin. It is not signed, so it gives no access.
func (s *Service) reportLeftover(c consent.Consent) {
	s.Log.Warn("a consent may be left at the bank, unsigned: its opening was not answered and cannot be repeated",
		"company", c.Company, "consent", c.ID, "total", s.leftovers.Add(1))
}
