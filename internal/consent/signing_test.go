package consent_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"samla/internal/consent"
)

// shown returns an authorization whose code the person sees.
func shown() consent.Signing {
	return consent.Signing{Started: start, Deadline: start.Add(5 * time.Minute), Shown: true, Present: true}
}

var (
	waiting  = consent.Answer{Progress: consent.NotScanned, Code: true}
	silent   = consent.Answer{}
	signing  = consent.Answer{Progress: consent.Scanned}
	ranOut   = consent.Answer{Word: consent.SaysFailed, Failure: consent.AuthenticationTimeout}
	failed   = consent.Answer{Word: consent.SaysFailed, Failure: consent.AuthenticationFailed}
	conflict = consent.Answer{Word: consent.SaysFailed, Failure: consent.AuthenticationConflict}
	nothing  = consent.Answer{Word: consent.SaysNothing}
	refuses  = consent.Answer{Word: consent.Refuses}

	pending  = consent.Reading{Word: consent.ConsentIsPending}
	rejected = consent.Reading{Word: consent.ConsentHasEnded, Failure: consent.FailedWith{Code: consent.Rejected, Cause: consent.CauseBankRejected}}
	unread   = consent.Reading{Word: consent.ConsentUnread}
	hidden   = consent.Reading{Word: consent.ConsentRefused, Failure: consent.FailedWith{Code: consent.Rejected}}
)

// heard asks once a second for so long; the last answer is given at the end, and the
// consent reads as given whenever it is read. It returns what follows the last answer.
func heard(s consent.Signing, for_ time.Duration, each, last consent.Answer, reads consent.Reading) (consent.Signing, consent.Verdict) {
	var v consent.Verdict
	for at := start.Add(time.Second); !at.After(start.Add(for_)); at = at.Add(time.Second) {
		a := each
		if at.Equal(start.Add(for_)) {
			a = last
		}
		if s, v = s.Heard(a, at); v.Action == consent.ReadConsent {
			s, v = s.Read(reads, at)
		}
		if v.Action != consent.AskAgain {
			return s, v
		}
	}
	return s, v
}

func TestSigning_DecidesByTheWordsOfTheBank(t *testing.T) {
	numbered := shown()
	numbered.Careful = true
	until := shown()
	until.Until = start.Add(90 * time.Second)
	redirect := shown()
	redirect.Shown = false
	gone := shown()
	gone.Present = false
	second := shown()
	second.Renewed = 1
	for name, test := range map[string]struct {
		s          consent.Signing
		after      time.Duration
		each, last consent.Answer
		reads      consent.Reading
		want       consent.Action
		code       consent.FailureCode
	}{
		"signed, and valid":              {shown(), 3 * time.Second, waiting, consent.Answer{Word: consent.SaysSigned}, consent.Reading{Word: consent.ConsentIsValid}, consent.Grant, ""},
		"signed, and not valid yet":      {shown(), 3 * time.Second, waiting, consent.Answer{Word: consent.SaysSigned}, pending, consent.AskAgain, ""},
		"signed, and unreadable":         {shown(), 3 * time.Second, waiting, consent.Answer{Word: consent.SaysSigned}, unread, consent.AskAgain, ""},
		"signed, and rejected":           {shown(), 3 * time.Second, waiting, consent.Answer{Word: consent.SaysSigned}, rejected, consent.Fail, consent.Rejected},
		"gone, and valid":                {shown(), 3 * time.Second, waiting, refuses, consent.Reading{Word: consent.ConsentIsValid}, consent.Grant, ""},
		"gone, and pending":              {shown(), 3 * time.Second, waiting, refuses, pending, consent.AskAgain, ""},
		"both gone once":                 {shown(), 3 * time.Second, waiting, refuses, hidden, consent.AskAgain, ""},
		"both gone three times":          {shown(), 3 * time.Second, refuses, refuses, hidden, consent.Fail, consent.Rejected},
		"no answer, and valid":           {shown(), 5 * time.Second, nothing, nothing, consent.Reading{Word: consent.ConsentIsValid}, consent.Grant, ""},
		"no answer at all":               {shown(), 280 * time.Second, nothing, nothing, unread, consent.AskAgain, ""},
		"cancelled":                      {shown(), 3 * time.Second, waiting, consent.Answer{Word: consent.SaysFailed, Failure: consent.AuthenticationCancelled}, pending, consent.Fail, consent.AuthenticationCancelled},
		"ran out":                        {shown(), 30 * time.Second, waiting, ranOut, pending, consent.Renew, ""},
		"ran out, consent rejected":      {shown(), 30 * time.Second, waiting, ranOut, rejected, consent.Reopen, ""},
		"ran out, but valid":             {shown(), 30 * time.Second, waiting, ranOut, consent.Reading{Word: consent.ConsentIsValid}, consent.Grant, ""},
		"ran out, nobody looks":          {gone, 30 * time.Second, waiting, ranOut, pending, consent.AskAgain, ""},
		"unscanned, nobody looks":        {gone, 31 * time.Second, waiting, waiting, pending, consent.AskAgain, ""},
		"ran out at once":                {shown(), 2 * time.Second, waiting, ranOut, pending, consent.AskAgain, ""},
		"ran out at once, and says so":   {shown(), 3 * time.Second, ranOut, ranOut, pending, consent.Renew, ""},
		"ran out, then gone":             {shown(), 3 * time.Second, ranOut, refuses, pending, consent.Renew, ""},
		"ran out near the deadline":      {shown(), 295 * time.Second, signing, ranOut, pending, consent.Fail, consent.AuthenticationTimeout},
		"ran out after the scan":         {shown(), 40 * time.Second, signing, ranOut, pending, consent.Fail, consent.AuthenticationTimeout},
		"code gone, then ran out":        {shown(), 40 * time.Second, waiting, ranOut, pending, consent.Renew, ""},
		"failed early":                   {shown(), 10 * time.Second, silent, failed, pending, consent.Fail, consent.AuthenticationFailed},
		"failed after 30 s, no reason":   {shown(), 30 * time.Second, silent, failed, pending, consent.Renew, ""},
		"failed after a minute":          {numbered, time.Minute, silent, failed, pending, consent.Fail, consent.AuthenticationFailed},
		"failed after the scan":          {shown(), 32 * time.Second, signing, failed, pending, consent.Fail, consent.AuthenticationFailed},
		"unscanned, and the bank silent": {shown(), 31 * time.Second, waiting, waiting, pending, consent.Renew, ""},
		"unscanned for 30 s":             {shown(), 30 * time.Second, waiting, waiting, pending, consent.AskAgain, ""},
		"not known, no number given":     {shown(), 31 * time.Second, silent, silent, pending, consent.Renew, ""},
		"not known, a number given":      {numbered, 180 * time.Second, silent, silent, pending, consent.AskAgain, ""},
		"not known for three minutes":    {numbered, 181 * time.Second, silent, silent, pending, consent.Renew, ""},
		"the bank waits longer":          {until, 90 * time.Second, waiting, waiting, pending, consent.AskAgain, ""},
		"the bank has waited":            {until, 91 * time.Second, waiting, waiting, pending, consent.Renew, ""},
		"scanned, and slow":              {shown(), 280 * time.Second, signing, signing, pending, consent.AskAgain, ""},
		"no BankID data shown":           {redirect, 280 * time.Second, silent, silent, pending, consent.AskAgain, ""},
		"another order of the person":    {shown(), 20 * time.Second, waiting, conflict, pending, consent.Fail, consent.AuthenticationConflict},
		"another order, at the renewal":  {second, time.Second, conflict, conflict, pending, consent.AskAgain, ""},
		"valid, and never said":          {numbered, 35 * time.Second, silent, silent, consent.Reading{Word: consent.ConsentIsValid}, consent.Grant, ""},
		"rejected, and never said":       {numbered, 35 * time.Second, silent, silent, rejected, consent.Fail, consent.Rejected},
	} {
		_, v := heard(test.s, test.after, test.each, test.last, test.reads)
		if v.Action != test.want || v.Failure.Code != test.code {
			t.Errorf("%s: action %d %s, want %d %s", name, v.Action, v.Failure.Code, test.want, test.code)
		}
	}
}

// There is no time for another consent.
func TestSigning_EndsWithAConsentThatTheBankEnded(t *testing.T) {
	s := shown()
	s.Expired = true
	_, v := s.Read(rejected, s.Deadline.Add(-9*time.Second))
	if want := (consent.FailedWith{Code: consent.AuthenticationTimeout, Cause: consent.CauseBankRejected}); v.Action != consent.Fail || v.Failure != want {
		t.Errorf("%+v", v)
	}
}

func TestSigning_TakesAMissingCodeForAScan(t *testing.T) {
	s, _ := shown().Heard(waiting, start.Add(time.Second))
	s.Progress = consent.ProgressUnknown // the bank gives no hints
	s, _ = s.Heard(silent, start.Add(2*time.Second))
	if s.Progress != consent.Scanned {
		t.Errorf("progress %d", s.Progress)
	}
	if s, _ = shown().Heard(silent, start.Add(time.Second)); s.Progress != consent.ProgressUnknown {
		t.Errorf("a bank that never repeats the code: progress %d", s.Progress)
	}
}

func TestShownUntil_IsTheEndOfTheOrder(t *testing.T) {
	s := shown()
	if end := s.ShownUntil(); !end.Equal(start.Add(consent.StartWithin)) {
		t.Errorf("before the scan until %s", end)
	}
	s, _ = s.Heard(signing, start.Add(time.Second))
	if end := s.ShownUntil(); !end.Equal(start.Add(consent.SignWithin)) {
		t.Errorf("after the scan until %s", end)
	}
	for _, until := range []time.Duration{50, 70, 40} {
		s, _ = s.Heard(consent.Answer{Progress: consent.Scanned, Until: start.Add(until * time.Second)}, start.Add(2*time.Second))
	}
	if end := s.ShownUntil(); !end.Equal(start.Add(40 * time.Second)) {
		t.Errorf("as the bank says until %s", end)
	}
	s = consent.Signing{Started: start, Deadline: start.Add(time.Minute)}
	if end := s.ShownUntil(); !end.Equal(s.Deadline) {
		t.Errorf("without BankID until %s", end)
	}
}

func anyAnswer() *rapid.Generator[consent.Answer] {
	return rapid.Custom(func(t *rapid.T) consent.Answer {
		return consent.Answer{Word: consent.Word(rapid.IntRange(0, 4).Draw(t, "word")), Progress: consent.Progress(rapid.IntRange(0, 2).Draw(t, "progress")),
			Failure: rapid.SampledFrom([]consent.FailureCode{consent.AuthenticationTimeout, consent.AuthenticationFailed, consent.AuthenticationConflict}).Draw(t, "failure"),
			Code:    rapid.Bool().Draw(t, "code")}
	})
}

// Whatever a bank answers: once the person has scanned, no other authorization is
// started; the starts are at least three seconds apart and few; a signing ends by a word
// of the bank that says so.
func TestSigning_KeepsInvariants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, now, renewals := shown(), start, 0
		s.Present = rapid.Bool().Draw(t, "present")
		s.Careful = rapid.Bool().Draw(t, "numbered")
		for now.Before(s.Deadline) {
			now = now.Add(time.Duration(rapid.IntRange(1, 4).Draw(t, "seconds")) * time.Second)
			a := anyAnswer().Draw(t, "answer")
			before := s
			var v consent.Verdict
			if s, v = s.Heard(a, now); v.Action == consent.ReadConsent {
				r := consent.Reading{Word: consent.ReadingWord(rapid.IntRange(0, 4).Draw(t, "reading"))}
				if s, v = s.Read(r, now); (v.Action == consent.Grant) != (r.Word == consent.ConsentIsValid) {
					t.Fatalf("action %d after a consent that reads %d", v.Action, r.Word)
				}
				if v.Action == consent.Fail && r.Word != consent.ConsentHasEnded && r.Word != consent.ConsentRefused {
					t.Fatalf("failed after a consent that reads %d", r.Word)
				}
			} else if v.Action == consent.Fail && a.Word != consent.SaysFailed {
				t.Fatalf("failed after the word %d", a.Word)
			}
			switch v.Action {
			case consent.Grant, consent.Fail:
				return
			case consent.Renew, consent.Reopen:
				if !s.Present || now.Sub(s.Started) < 3*time.Second || before.Progress == consent.Scanned && !before.Expired {
					t.Fatalf("renewed after %s, progress %d", now.Sub(s.Started), before.Progress)
				}
				renewals++
				s = consent.Signing{Started: now, Deadline: s.Deadline, Shown: true, Present: true, Careful: s.Careful, Renewed: renewals}
			}
		}
		if renewals > 14 {
			t.Fatalf("%d renewals in five minutes", renewals)
		}
	})
}
