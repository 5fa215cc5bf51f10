package bench

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"time"

	"github.com/google/uuid"

	"samla/internal/consent"
	"samla/internal/institution"
	"samla/internal/psu"
)

// boundTime is how long each bound is measured.
const boundTime = time.Second

// logBounds measures and logs what bounds a crowd at a bank, before there is one: the
// signatures that this machine computes, and the status questions that the connector and
// the sandbox exchange when nothing else runs.
func (c CrowdConfig) logBounds(ctx context.Context, bank institution.Institution, company string) error {
	if bank.Authorizer == nil {
		return fmt.Errorf("the sandbox has no bank %s", company)
	}
	key, err := signingKey(c.Server.Banks, company)
	if err != nil {
		return err
	}
	signed, _, err := signatures(ctx, key)
	if err != nil {
		return err
	}
	started, access, err := startAuthorization(ctx, c.Config, bank, otherPersons)
	if err != nil {
		return err
	}
	calls, err := runWorkers(ctx, limitCallers, boundTime, sameOperation(func() error {
		_, err := bank.Authorizer.AuthorizationStatus(ctx, access, started.ID, started.StatusLink, true)
		return err
	}))
	c.Logf("bounds: %.0f signatures a second, %.0f status questions a second", signed, float64(calls)/boundTime.Seconds())
	return err
}

// signatures measures how many signatures this machine computes in a second when nothing
// else runs in this process, and the processor time of each.
func signatures(ctx context.Context, key crypto.Signer) (rate float64, each time.Duration, err error) {
	digest := sha256.Sum256(nil)
	before := cpuTime(os.Getpid())
	n, err := runWorkers(ctx, runtime.GOMAXPROCS(0), boundTime, sameOperation(func() error {
		_, err := key.Sign(rand.Reader, digest[:], crypto.SHA256)
		return err
	}))
	return float64(n) / boundTime.Seconds(), (cpuTime(os.Getpid()) - before) / time.Duration(max(n, 1)), err
}

// share returns part / whole, or 0 if nothing was measured.
func share(part, whole time.Duration) float64 {
	if whole <= 0 {
		return 0
	}
	return min(float64(part)/float64(whole), 1)
}

// signingKey returns the key of a bank's QSealC, which a banks file names.
func signingKey(banks, company string) (crypto.Signer, error) {
	data, err := os.ReadFile(banks)
	if err != nil {
		return nil, err
	}
	var file struct {
		Banks []struct {
			Company      string
			Certificates struct{ QSEALCert, QSEALKey string }
		}
	}
	if err := json.Unmarshal(data, &file); err != nil {
		return nil, err
	}
	for _, b := range file.Banks {
		if b.Company != company {
			continue
		}
		pair, err := tls.LoadX509KeyPair(b.Certificates.QSEALCert, b.Certificates.QSEALKey)
		if err != nil {
			return nil, err
		}
		if key, ok := pair.PrivateKey.(crypto.Signer); ok {
			return key, nil
		}
	}
	return nil, fmt.Errorf("no signing key of %s", company)
}

// startAuthorization opens a consent of a person at the bank with the connector alone and
// starts its authorization.
func startAuthorization(ctx context.Context, c Config, b institution.Institution, person int) (institution.Authorization, institution.Access, error) {
	subject := psu.Context{PersonalNumber: psu.Number(personalNumber(person)), IPAddress: benchAddress}
	opened, err := b.Opener.OpenConsent(ctx, institution.OpenRequest{RequestID: uuid.NewString(), Scope: consent.Scope{Balances: true, Transactions: true},
		ValidUntil: c.Clock.Now().AddDate(0, 0, 1), PSU: subject})
	if err != nil {
		return institution.Authorization{}, institution.Access{}, err
	}
	access := institution.Access{ConsentID: opened.ConsentID, PSU: subject}
	a, err := b.Authorizer.StartAuthorization(ctx, institution.AuthorizeRequest{RequestID: uuid.NewString(), ConsentID: opened.ConsentID, PSU: subject})
	if err == nil && a.Instructions == nil {
		err = errors.New("the bank returned no instructions")
	}
	return a, access, err
}

// otherPersons is the number of the first person who is no user of a benchmark.
const otherPersons = 700_000
