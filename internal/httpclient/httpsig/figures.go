package httpsig

import (
	"context"
	"sync/atomic"
	"time"

	"samla/internal/clock"
)

// Figures count what a signer has done since the start.
type Figures struct {
	Signed, Failed int64         // requests; a request whose caller gave up has failed
	Waiting        int64         // requests that wait for their turn now
	Waited         time.Duration // for their turn, all requests together
	Took           time.Duration // wait and signature, all requests together
}

// meter counts Figures.
type meter struct{ signed, failed, waiting, waited, took atomic.Int64 }

// Figures returns what the signer has done.
func (s *Signer) Figures() Figures {
	m := s.meter
	return Figures{Signed: m.signed.Load(), Failed: m.failed.Load(), Waiting: m.waiting.Load(),
		Waited: time.Duration(m.waited.Load()), Took: time.Duration(m.took.Load())}
}

// sign signs and counts. The time is the machine's: what is measured is work here.
func (s *Signer) sign(ctx context.Context, hash []byte) ([]byte, error) {
	began := clock.System().Now()
	signature, err := s.key.sign(ctx, hash)
	s.meter.took.Add(int64(clock.System().Now().Sub(began)))
	if err != nil {
		s.meter.failed.Add(1)
		return nil, err
	}
	s.meter.signed.Add(1)
	return signature, nil
}
