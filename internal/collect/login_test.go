package collect_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"samla/internal/collect"
	"samla/internal/collection"
	"samla/internal/dialogue"
	"samla/internal/fault"
	"samla/internal/institution"
)

func TestLogin_RunsToProducts(t *testing.T) {
	onBothStores(t, func(t *testing.T, b *loginEnv) {
		c := b.start()
		if c.Mode != collection.Dialogue || !c.Leased() || c.UserID != b.User.ID {
			t.Fatalf("started %+v", c)
		}
		b.want(b.step(c.ID), collection.Login)
		first := b.poll(c.ID).Shown
		if first == nil || first.AutoStartToken != "token" || !strings.HasPrefix(first.QRText, "bankid.start.0.") || first.QRImage == "" {
			t.Fatalf("%+v is shown", first)
		}
		b.Clock.Advance(time.Second)
		if next := b.poll(c.ID).Shown; next.QRText == first.QRText || next.QRImage == first.QRImage {
			t.Errorf("the QR code does not move: %s", next.QRText)
		}
		b.source.set(code("q1"))
		b.want(b.step(c.ID), collection.TwoFactorPending)
		if p := b.poll(c.ID).Shown; p == nil || p.Question != "q1" || p.Message != "The code, please" || p.ResponseType != "NUMBER_CODE" {
			t.Fatalf("%+v is shown", p)
		}
		if err := b.Supplement(t.Context(), b.owner(), c.ID, dialogue.Answer{Code: "123456"}); err != nil {
			t.Fatal(err)
		}
		if p := b.poll(c.ID); p.Shown != nil || p.Status != collection.TwoFactorPending {
			t.Errorf("%s with an answer on its way, shown %+v", p.Status, p.Shown)
		}
		b.want(b.step(c.ID), collection.Collecting)
		if len(b.source.given) != 1 || b.source.given[0].Question != "q1" || b.source.given[0].Code != "123456" {
			t.Errorf("the institution got %+v, which must name the question that was open", b.source.given)
		}
		if b.WatchesLogin(c.ID) {
			t.Error("a login that is done is watched")
		}
		b.want(b.claim(b.Service, c.ID), collection.Completed)
		list := b.data(c.ID)
		if len(list) != 2 {
			t.Fatalf("%d products", len(list))
		}
		for _, p := range list {
			person, _ := p["personalInformation"].(map[string]any)
			if p["company"] != theSource || p["companyDisplayName"] != "Test source" || p["id"] == "" || person["personalNumber"] != anna.Digits() {
				t.Errorf("%v", p)
			}
		}
		r := b.source.asked[0]
		if len(b.source.asked) != 1 || r.PSU.PersonalNumber != anna || r.PSU.IPAddress != "192.0.2.1" || r.Email != "anna@example.com" ||
			r.LoginMethod != "SWEDISH_MOBILE_BANKID_OTHER_DEVICE" {
			t.Errorf("the login was asked for with %+v", b.source.asked)
		}
		if a := b.source.access[0]; a.Session != "session-1" || a.PSU.PersonalNumber != "" {
			t.Errorf("read with %+v", a)
		}
		if ended := b.deliver(); ended["session-1"] == "" {
			t.Errorf("the session is not ended: %v", ended)
		}
		if strings.Contains(b.logs.String(), anna.Digits()) {
			t.Error("a personal number is in the log")
		}
	})
}

// What is on the way when a process dies is done by another node, once.
func TestLogin_GoesOnAtAnotherNode(t *testing.T) {
	onBothStores(t, func(t *testing.T, b *loginEnv) {
		gone := &institution.Error{Kind: institution.Unreachable}
		lost := map[institution.Verb]bool{institution.VerbLogin: true, institution.VerbAnswer: true}
		b.source.lost = func(v institution.Verb, n int) error {
			if lost[v] && n == 1 { // the institution acts, and this node never hears of it
				return gone
			}
			return nil
		}
		c := b.start()
		b.want(b.step(c.ID), collection.Running)
		node := b.node(b.Env.Node())
		b.claim(node, c.ID)
		node.StepLogin(t.Context(), c.ID)
		b.want(b.row(c.ID), collection.Login)
		b.source.set(code("q1"))
		node.StepLogin(t.Context(), c.ID)
		if err := node.Supplement(t.Context(), b.owner(), c.ID, dialogue.Answer{Question: "q1", Code: "1"}); err != nil {
			t.Fatal(err)
		}
		node.StepLogin(t.Context(), c.ID)
		b.want(b.row(c.ID), collection.TwoFactorPending)
		third := b.node(b.Env.Node())
		b.claim(third, c.ID)
		third.StepLogin(t.Context(), c.ID)
		b.want(b.row(c.ID), collection.Collecting)
		fourth := b.node(b.Env.Node())
		b.want(b.claim(fourth, c.ID), collection.Completed)
		if len(b.source.sessions) != 1 || len(b.source.given) != 1 || b.source.calls[institution.VerbLogin] != 2 || b.source.calls[institution.VerbAnswer] != 2 {
			t.Errorf("%d logins, answers %v, calls %v", len(b.source.sessions), b.source.given, b.source.calls)
		}
	})
}

// Of two answers at once, to one node or to two, one is taken.
func TestSupplement_TakesOneOfTwoAnswers(t *testing.T) {
	onBothStores(t, func(t *testing.T, b *loginEnv) {
		b.source.first = code("q1")
		c := b.start()
		b.want(b.step(c.ID), collection.TwoFactorPending)
		nodes := []*collect.Service{b.Service, b.node(b.Env.Node()), b.Service, b.node(b.Env.Node())}
		results := make(chan error, len(nodes))
		for i, node := range nodes {
			go func() {
				results <- node.Supplement(t.Context(), b.owner(), c.ID, dialogue.Answer{Code: strings.Repeat("1", i+1)})
			}()
		}
		taken := 0
		for range nodes {
			switch err := <-results; {
			case err == nil:
				taken++
			case !errors.Is(err, fault.New(fault.SupplementNotExpected)):
				t.Error(err)
			}
		}
		if taken != 1 {
			t.Errorf("%d answers were taken", taken)
		}
		if out := b.row(c.ID); out.Status != collection.TwoFactorPending {
			t.Errorf("%s with an answer on its way", out.Status)
		}
		b.claim(b.Service, c.ID)
		b.want(b.step(c.ID), collection.Collecting)
		if answer, err := b.Store.DialogueAnswer(t.Context(), c.ID); err != nil || answer != nil {
			t.Errorf("an answer that was handed over is kept: %v", err)
		}
		if len(b.source.given) != 1 {
			t.Errorf("the institution got %v", b.source.given)
		}
	})
}

func TestSupplement_RefusesWhatIsNotExpected(t *testing.T) {
	b := newLoginEnv(t)
	answer := dialogue.Answer{Code: "1"}
	c := b.start()
	isFault(t, "before anything is asked", b.Supplement(t.Context(), b.owner(), c.ID, answer), fault.SupplementNotExpected)
	b.source.set(code("q1"))
	b.step(c.ID)
	b.step(c.ID)
	isFault(t, "another type", b.Supplement(t.Context(), b.owner(), c.ID, dialogue.Answer{Response: &dialogue.DeviceResponse{}}), fault.SupplementNotExpected)
	isFault(t, "another question", b.Supplement(t.Context(), b.owner(), c.ID, dialogue.Answer{Question: "q0", Code: "1"}), fault.SupplementNotExpected)
	isFault(t, "an empty code", b.Supplement(t.Context(), b.owner(), c.ID, dialogue.Answer{}), fault.InvalidParameter)
	isFault(t, "another user", b.Supplement(t.Context(), collect.Owner{ClientID: b.User.ClientID, UserID: "x"}, c.ID, answer), fault.CollectionNotFound)
	isFault(t, "another collection", b.Supplement(t.Context(), b.owner(), b.IDs.New(), answer), fault.CollectionNotFound)
	two := 2
	wrong := code("q2")
	wrong.Ask.Wrong, wrong.Ask.AttemptsLeft = true, &two
	b.source.next = func(dialogue.Answer) dialogue.Turn { return wrong }
	if err := b.Supplement(t.Context(), b.owner(), c.ID, answer); err != nil {
		t.Fatal(err)
	}
	b.want(b.step(c.ID), collection.TwoFactorPending)
	if p := b.poll(c.ID).Shown; p == nil || !p.Wrong || *p.AttemptsLeft != 2 {
		t.Errorf("after a wrong code %+v is shown", p)
	}
	isFault(t, "late", b.Supplement(t.Context(), b.owner(), c.ID, dialogue.Answer{Question: "q1", Code: "1"}), fault.SupplementNotExpected)
	if _, err := b.Stop(t.Context(), b.owner(), c.ID); err != nil {
		t.Fatal(err)
	}
	isFault(t, "after the end", b.Supplement(t.Context(), b.owner(), c.ID, dialogue.Answer{Code: "1"}), fault.SupplementNotExpected)
}

// However a login ends, its session is ended at the institution, and nothing is read.
func TestLogin_EndsItsSession(t *testing.T) {
	for name, test := range map[string]struct {
		end  func(b *loginEnv, id string)
		want collection.Status
	}{
		"cancelled":   {func(b *loginEnv, id string) { _, _ = b.Stop(b.Context(), b.owner(), id) }, collection.AuthenticationCancelled},
		"erased":      {func(b *loginEnv, id string) { _ = b.Erase(b.Context(), b.owner(), id) }, collection.AuthenticationCancelled},
		"user erased": {func(b *loginEnv, id string) { _ = b.EndUser(b.Context(), b.User.ClientID, b.User.ID) }, collection.AuthenticationCancelled},
		"not polled": {func(b *loginEnv, id string) {
			b.Clock.Advance(2 * time.Minute)
			b.step(id)
		}, collection.AuthenticationTimeout},
		"too slow": {func(b *loginEnv, id string) {
			for range 11 {
				b.Clock.Advance(30 * time.Second)
				b.poll(id)
				b.step(id)
			}
		}, collection.AuthenticationTimeout},
		"another person": {func(b *loginEnv, id string) {
			b.source.set(dialogue.Turn{ID: "in", In: &dialogue.In{PersonalNumber: "199001011234"}})
			b.step(id)
		}, collection.AuthenticationMismatch},
		"refused": {func(b *loginEnv, id string) {
			b.source.set(dialogue.Turn{ID: "out", Out: &dialogue.Out{Reason: dialogue.KYCRequired}})
			b.step(id)
		}, collection.KYCForm},
		"session lost": {func(b *loginEnv, id string) {
			b.source.fails = func(v institution.Verb, _ int) error {
				if v == institution.VerbTurn {
					return &institution.Error{Kind: institution.SessionGone}
				}
				return nil
			}
			b.step(id)
		}, collection.AuthenticationError},
		"silent": {func(b *loginEnv, id string) {
			b.source.fails = func(v institution.Verb, _ int) error {
				if v == institution.VerbTurn {
					return &institution.Error{Kind: institution.Unreachable}
				}
				return nil
			}
			for range 3 {
				b.Clock.Advance(30 * time.Second)
				b.poll(id)
				b.step(id)
			}
		}, collection.ThirdPartyError},
		"given up": {func(b *loginEnv, id string) { _ = b.GiveUp(b.Context(), id) }, collection.Failed},
	} {
		t.Run(name, func(t *testing.T) {
			b := newLoginEnv(t)
			c := b.start()
			b.want(b.step(c.ID), collection.Login)
			test.end(b, c.ID)
			b.want(b.row(c.ID), test.want)
			b.source.fails = nil
			if ended := b.deliver(); ended["session-1"] == "" {
				t.Errorf("the session is not ended: %v", ended)
			}
			if n := b.source.calls[institution.VerbCollect]; n != 0 {
				t.Errorf("%d pages were read", n)
			}
			if _, err := b.Store.DialogueDue(t.Context(), c.ID); err == nil {
				t.Error("the job is left")
			}
		})
	}
}

// A login that has just been started, or answered, is asked for at once, but counts as one
// question a second: many persons can start at the same time.
func TestLogin_AdmitsPersonsWhoStartTogether(t *testing.T) {
	onBothStores(t, func(t *testing.T, b *loginEnv) {
		for range 100 {
			b.start()
		}
	})
}
