package authorize_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"samla/internal/authorize"
	"samla/internal/clock/clocktest"
	"samla/internal/consent"
	"samla/internal/fault"
	"samla/internal/institution"
	"samla/internal/store"
)

// poll polls a consent of the user on a node.
func (b *env) poll(at *authorize.Service, id consent.ID) *authorize.Shown {
	b.Helper()
	c, shown, err := at.Poll(b.Context(), b.User.ClientID, b.User.ID, id)
	if err != nil {
		b.Fatal(err)
	}
	if (shown != nil) != (c.Status == consent.AwaitingAuthorization) {
		b.Fatalf("%s, and shows %+v", c.Status, shown)
	}
	return shown
}

// A poll on the node that watches asks the bank nothing.
func TestPoll_ShowsTheTextThatTheWatchGot(t *testing.T) {
	b := newEnv(t)
	texts := map[int]string{}
	c := b.create()
	b.bank.onStatus = func(n int) (institution.Authorization, error) {
		if n > 1 {
			texts[n-1] = b.poll(b.Service, c.ID).QRData
		}
		if n == 5 {
			return institution.Authorization{State: institution.AuthorizationDone}, nil
		}
		return b.pending("bankid." + strings.Repeat("x", n)), nil
	}
	c = b.look(c.ID)
	for n := 1; n < 5; n++ {
		if want := "bankid." + strings.Repeat("x", n); texts[n] != want {
			t.Errorf("after %d answers %q is shown", n, texts[n])
		}
	}
	if b.bank.asked != 5 {
		t.Errorf("asked %d times", b.bank.asked)
	}
	if b.poll(b.Service, c.ID) != nil {
		t.Error("an authorized consent still shows a code")
	}
}

// A node that does not watch shows what is stored, and asks the bank when the text is
// too old, one question at a time.
func TestPoll_AsksTheBankOnANodeThatDoesNotWatch(t *testing.T) {
	b := newEnv(t)
	c := b.watched()
	other := b.service()
	question, answer := make(chan int), make(chan struct{})
	b.bank.asked = 0
	b.bank.onStatus = func(n int) (institution.Authorization, error) {
		question <- n
		<-answer
		return b.pending("bankid.fresh"), nil
	}
	if shown := b.poll(other, c.ID); shown.QRData != "bankid.first" || shown.QRImage == "" || shown.Form != authorize.QRCode {
		t.Errorf("shown %+v", shown)
	}
	<-question
	for range 3 { // while the answer is on its way, nothing more is asked
		if shown := b.poll(other, c.ID); shown.QRData != "bankid.first" {
			t.Errorf("shown %+v", shown)
		}
	}
	answer <- struct{}{}
	clocktest.Poll(t, "the fresh text is shown", func() bool { return b.poll(other, c.ID).QRData == "bankid.fresh" })
	b.Clock.Advance(authorize.StaleAfter)
	b.poll(other, c.ID) // a text that is still fresh is not asked for again
	b.Clock.Advance(time.Millisecond)
	b.poll(other, c.ID)
	if n := <-question; n != 2 {
		t.Errorf("question %d follows the first", n)
	}
	answer <- struct{}{}
}

// The end of a refresh may come after its text is shown, when the next refresh is under
// way already.
func TestInstructionCache_RefreshesOneAtATime(t *testing.T) {
	got := authorize.Refreshes(morning, morning.Add(time.Second), morning.Add(2*time.Second))
	if want := []bool{true, true, true}; !slices.Equal(got, want) {
		t.Errorf("began alone: %v", got)
	}
}

// A refresh that fails leaves the last text as it is.
func TestPoll_AsksAgainAfterAFailure(t *testing.T) {
	b := newEnv(t)
	c := b.watched()
	other := b.service()
	asked := make(chan struct{})
	b.bank.onStatus = func(int) (institution.Authorization, error) {
		asked <- struct{}{}
		return institution.Authorization{}, kind(institution.Unreachable)
	}
	for range 3 {
		clocktest.Poll(t, "the bank is asked again", func() bool {
			if shown := b.poll(other, c.ID); shown.QRData != "bankid.first" {
				t.Fatalf("shown %+v", shown)
			}
			select {
			case <-asked:
				return true
			default:
				return false
			}
		})
	}
}

// A bank may give the result of a signing only once, to the node that asks.
func TestRefresh_UsesTheEndOfASigning(t *testing.T) {
	b := newEnv(t)
	c := b.watched()
	other := b.service()
	b.bank.asked = 0
	b.bank.onStatus = func(n int) (institution.Authorization, error) {
		if n == 1 {
			return institution.Authorization{State: institution.AuthorizationDone}, nil
		}
		return b.pending("bankid.again"), nil
	}
	b.Clock.Advance(5 * time.Second)
	b.poll(other, c.ID)
	clocktest.Poll(t, "the consent is authorized", func() bool { return b.Consent(c.ID).Status == consent.Authorized })
}

// Where the bank gives BankID's secret, the text follows the clock and the bank is not
// asked for it (docs/reference/banks.md 12.5).
func TestPoll_ComputesTheTextFromTheSecret(t *testing.T) {
	b := newEnv(t)
	b.bank.onStart = func(institution.AuthorizeRequest) (institution.Authorization, error) {
		a := b.pending("")
		a.Instructions.QRStartToken, a.Instructions.QRSecret = "67df3917-fa0d-44e5-b327-edcc928297f8", "d28db9a7-4cde-429e-a983-359be676944c"
		a.Instructions.QRStartedAt = b.Clock.Now()
		return a, nil
	}
	b.bank.onStatus = func(n int) (institution.Authorization, error) {
		if n%2 == 0 { // with the same secret again
			return b.bank.onStart(institution.AuthorizeRequest{})
		}
		return institution.Authorization{State: institution.AuthorizationPending}, nil
	}
	c := b.look(b.create().ID)
	other := b.service()
	asked, texts := b.bank.asked, map[string]bool{}
	for range 5 {
		shown := b.poll(other, c.ID)
		if texts[shown.QRData] = true; !strings.HasPrefix(shown.QRData, "bankid.67df3917-") || strings.Contains(shown.QRData, "d28db9a7") {
			t.Errorf("shown %q", shown.QRData)
		}
		// The seconds count from the first answer, also at the node that asks.
		if same := b.poll(b.Service, c.ID); same.QRData != shown.QRData {
			t.Errorf("shown %q, at the node that asks %q", shown.QRData, same.QRData)
		}
		b.Clock.Advance(time.Second)
	}
	if len(texts) != 5 || b.bank.asked != asked {
		t.Errorf("%d texts in 5 seconds, asked %d times", len(texts), b.bank.asked-asked)
	}
}

func TestPoll_AnswersUnauthorizedForAnErasedUser(t *testing.T) {
	b := newEnv(t)
	c := b.watched()
	gone, _ := b.User.Anonymize(b.Clock.Now())
	b.Write(func(tx store.Tx) error { return tx.PutUser(t.Context(), b.User, gone) })
	_, _, err := b.Poll(t.Context(), b.User.ClientID, b.User.ID, c.ID)
	isFault(t, "an erased user", err, fault.Unauthorized)
}

func TestInstructionCache_DropsWhatIsDecided(t *testing.T) {
	b := newEnv(t)
	if b.watched(); b.Remembered() != 1 {
		t.Errorf("during a signing %d entries are kept", b.Remembered())
	}
	b = newEnv(t)
	granted := b.create()
	refused := b.create()
	b.run(granted.ID)
	b.bank.onStatus = func(int) (institution.Authorization, error) {
		return institution.Authorization{State: institution.AuthorizationFailed, Failure: consent.AuthenticationCancelled}, nil
	}
	b.run(refused.ID)
	if b.Remembered() > 1 {
		t.Errorf("after the last one %d entries are kept", b.Remembered())
	}
}
