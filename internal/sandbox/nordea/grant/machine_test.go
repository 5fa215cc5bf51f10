package grant_test

import (
	"errors"
	"slices"
	"strconv"
	"testing"
	"time"

	"samla/internal/sandbox/nordea/grant"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

const maja = "198412099296" // a test number of Skatteverket

var startTime = time.Date(2026, 4, 1, 14, 0, 0, 0, time.UTC)

// The arrows of the diagram at Login.
var loginArrows = map[grant.LoginStatus][]grant.LoginStatus{
	grant.Assignment:   {grant.Confirmation, grant.Completed, grant.Ended},
	grant.Confirmation: {grant.Completed, grant.Ended},
	grant.Completed:    {grant.Authorized},
}

func TestLogin_FollowsStateDiagram(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := startTime
		l := grant.Login{ID: "l", Started: now, Status: grant.Assignment}
		codes := rapid.SampledFrom([]string{"c1", "c1", "c1", "c1", "c2", ""})
		used, signedAt := 0, time.Time{}
		for range rapid.IntRange(1, 15).Draw(t, "events") {
			now = now.Add(time.Duration(rapid.SampledFrom([]int{0, 1, 1, 60, 299, 300}).Draw(t, "seconds")) * time.Second)
			var e grant.LoginEvent
			switch rapid.SampledFrom([]int{0, 1, 1, 2, 3, 3, 4}).Draw(t, "event") {
			case 0:
				e = grant.Opened{}
			case 1:
				e = grant.Signed{Person: rapid.SampledFrom([]string{maja, maja, maja, ""}).Draw(t, "person"), Code: codes.Draw(t, "code")}
			case 2:
				e = grant.Failed{Reason: grant.TimedOut}
			case 3:
				e = grant.AgreementsShown{Code: codes.Draw(t, "code"), Request: grant.AuthorizeRequest{Code: "c1", Duration: 1}}
			case 4:
				e = grant.CodeUsed{Code: codes.Draw(t, "code")}
			}
			next, err := l.Apply(e, now)
			switch {
			case err != nil && !errors.Is(err, grant.ErrState) && !errors.Is(err, grant.ErrCode):
				t.Fatalf("error %v", err)
			case err != nil && !cmp.Equal(l, next):
				t.Fatalf("an event with an error changed %+v to %+v", l, next)
			case next.Status != l.Status && !slices.Contains(loginArrows[l.Status], next.Status):
				t.Fatalf("%s became %s", l.Status, next.Status)
			case (next.Status == grant.Completed || next.Status == grant.Authorized) && (next.Person == "" || next.Code == ""):
				t.Fatalf("%+v without a person or a code", next)
			case (next.Status == grant.Ended) != (next.Reason != ""):
				t.Fatalf("%+v", next)
			case next.Asked != nil && (next.Asked.Code != "" || next.Status != grant.Completed):
				t.Fatalf("the kept request is %+v in %s", next.Asked, next.Status)
			}
			if next.Status == grant.Completed && l.Status != grant.Completed {
				signedAt = now
			}
			if _, ok := e.(grant.CodeUsed); ok && err == nil {
				if used++; used > 1 || now.Sub(signedAt) >= 5*time.Minute {
					t.Fatalf("the code was used %d times, %v after it was made", used, now.Sub(signedAt))
				}
			}
			l = next
		}
	})
}

// A model of a grant: the set of tokens that work, kept by other means than the grant's.
func TestGrant_HasTheTokensThatWork(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := startTime
		g := grant.Grant{
			ID: "g", Code: "code", CodeUntil: now.Add(5 * time.Minute),
			Ends: now.Add(time.Duration(rapid.IntRange(1, 400).Draw(t, "duration")) * time.Minute),
		}
		grace := time.Duration(rapid.SampledFrom([]int{0, 10}).Draw(t, "grace")) * time.Minute
		rotates := rapid.Bool().Draw(t, "rotates")
		const life = time.Hour
		access := map[string]time.Time{} // working access tokens -> when they expire
		current, previous, rotated := "", "", time.Time{}
		currentUsed, revoked, n := false, false, 0
		everything := []string{"code", "other"}
		for range rapid.IntRange(1, 25).Draw(t, "events") {
			now = now.Add(time.Duration(rapid.SampledFrom([]int{0, 0, 1, 4, 10, 30}).Draw(t, "minutes")) * time.Minute)
			n++
			a, r := "a"+strconv.Itoa(n), "r"+strconv.Itoa(n)
			end := now.Add(life)
			if g.Ends.Before(end) {
				end = g.Ends
			}
			before := g
			var err error
			switch rapid.IntRange(0, 3).Draw(t, "event") {
			case 0:
				code := rapid.SampledFrom([]string{"code", "code", "code", "other", ""}).Draw(t, "code")
				works := code == "code" && current == "" && !revoked && now.Sub(startTime) < 5*time.Minute
				if g, err = g.Apply(grant.Exchange{Code: code, Access: a, Refresh: r, Life: life}, now); (err == nil) != works {
					t.Fatalf("exchange of %q: %v", code, err)
				}
				if works {
					access[a], current, everything = end, r, append(everything, a, r)
				}
			case 1:
				token := rapid.SampledFrom(everything).Draw(t, "refresh")
				isCurrent := token == current && current != ""
				isPrevious := token == previous && previous != "" && !currentUsed && now.Sub(rotated) < grace
				works := (isCurrent || isPrevious) && !revoked && now.Before(g.Ends)
				e := grant.Renew{Refresh: token, NewAccess: a, Life: life, Grace: grace}
				if rotates {
					e.NewRefresh = r
				}
				if g, err = g.Apply(e, now); (err == nil) != works {
					t.Fatalf("refresh with %q (current %q, previous %q): %v", token, current, previous, err)
				}
				if !works {
					break
				}
				access[a], everything = end, append(everything, a)
				switch {
				case rotates && isCurrent:
					previous, current, rotated, currentUsed = current, r, now, false
				case rotates:
					current = r // in place of the one whose answer was lost
				default:
					currentUsed = true
				}
				if rotates {
					everything = append(everything, r)
				}
			case 2:
				token := rapid.SampledFrom(everything).Draw(t, "revoked")
				g, err = g.Apply(grant.RevokeToken{Value: token}, now)
				if _, ok := access[token]; ok {
					delete(access, token)
				} else if err == nil && token[0] == 'r' {
					revoked = true
				}
				if (token == current && current != "") != revoked && token == current {
					t.Fatalf("revoking the refresh token: %v", err)
				}
			case 3:
				token := rapid.SampledFrom(everything).Draw(t, "read")
				until, known := access[token]
				works := known && !revoked && now.Before(until)
				if err := g.Reads(token, now); (err == nil) != works {
					t.Fatalf("read with %q: %v, want %v", token, err, works)
				} else if known && !revoked && !works && !errors.Is(err, grant.ErrExpired) {
					t.Fatalf("an expired token is %v", err)
				}
			}
			if err != nil && !cmp.Equal(before, g) {
				t.Fatalf("an event with an error changed the grant")
			}
		}
	})
}

// An event never changes the grant that it was applied to: the bank stores a change before
// it makes it.
func TestGrant_ApplyChangesNoOlderState(t *testing.T) {
	g := grant.Grant{Code: "c", CodeUntil: startTime.Add(time.Minute), Ends: startTime.Add(24 * time.Hour)}
	first, err := g.Apply(grant.Exchange{Code: "c", Access: "a1", Refresh: "r1", Life: time.Hour}, startTime)
	if err != nil {
		t.Fatal(err)
	}
	copied := first
	copied.Access, copied.Refresh = slices.Clone(first.Access), slices.Clone(first.Refresh)
	for _, e := range []grant.Event{
		grant.Renew{Refresh: "r1", NewAccess: "a2", NewRefresh: "r2", Life: time.Hour}, grant.RevokeToken{Value: "a1"}, grant.RevokeToken{Value: "r1"}, grant.RevokeGrant{},
	} {
		if _, err := first.Apply(e, startTime); err != nil {
			t.Fatal(err)
		}
		if !cmp.Equal(first, copied) {
			t.Fatalf("%T changed what it was applied to", e)
		}
	}
}

func TestGrant_ForgetsOldTokens(t *testing.T) {
	g := grant.Grant{Code: "c", CodeUntil: startTime.Add(time.Minute), Ends: startTime.Add(24 * time.Hour)}
	g, err := g.Apply(grant.Exchange{Code: "c", Access: "a", Refresh: "r", Life: time.Hour}, startTime)
	for i := 0; i < 200 && err == nil; i++ {
		g, err = g.Apply(grant.Renew{Refresh: "r", NewAccess: strconv.Itoa(i), Life: time.Hour}, startTime)
	}
	if err != nil || len(g.Access) != 50 || g.Reads("199", startTime) != nil || g.Reads("0", startTime) == nil {
		t.Errorf("%v, %d tokens", err, len(g.Access))
	}
}

func TestVisit_IsDecidedOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := grant.Visit{ID: "v", Request: grant.RedirectRequest{Redirect: "https://client.example/cb?a=1", State: "s&=?"}}
		decisions := rapid.SliceOfN(rapid.SampledFrom([]grant.Decision{
			{}, {Grant: "g", Code: "c"}, {Failure: "error.session.cancelled"}, {Code: "c", Failure: "f"},
		}), 1, 6).Draw(t, "decisions")
		first := ""
		for _, d := range decisions {
			next, err := v.Apply(d)
			valid := (d.Code == "") != (d.Failure == "")
			if (err == nil) != (valid && first == "") {
				t.Fatalf("%+v after %q: %v", d, first, err)
			}
			if err != nil {
				if !errors.Is(err, grant.ErrState) || !cmp.Equal(v, next) {
					t.Fatalf("%v changed the visit", err)
				}
				continue
			}
			v, first = next, next.ReturnTo
			want := "https://client.example/cb?a=1&code=c&state=s%26%3D%3F"
			if d.Failure != "" {
				want = "https://client.example/cb?a=1&httpMessage=error.session.cancelled&state=s%26%3D%3F"
			}
			if first != want {
				t.Fatalf("returns to %s", first)
			}
		}
	})
}
