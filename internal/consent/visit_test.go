package consent_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"samla/internal/consent"
)

// Whatever browsers do in whatever order: nobody completes a visit but a browser that has
// opened the link and whose person has begun, one that the institution vouches for, one that only says no, or one
// whose short code was typed in a browser that has opened the link. The first one counts.
func TestVisit_CompletesOnlyForTheRightBrowser(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := consent.Visit{Hash: consent.HashOf("state")}
		named := rapid.Bool().Draw(t, "named")
		browsers := rapid.SampledFrom([]string{"", "one", "two", "three", "four", "five", "six"})
		opened := map[string]bool{}
		code, holder := "", ""
		wrong := 0
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			before, browser := v, browsers.Draw(t, "browser")
			switch rapid.IntRange(0, 2).Draw(t, "what") {
			case 0:
				begun := rapid.Bool().Draw(t, "begun")
				var may consent.Departure
				v, may = v.Opened(browser, named, begun)
				if goes := may == consent.DepartureGoes; goes && !opened[browser] && !begun && (!named || len(opened) > 0) {
					t.Fatalf("%q goes on without a word of its person", browser)
				} else if goes {
					opened[browser] = true
				}
				if browser == "" && may == consent.DepartureGoes || len(v.Browsers) > 4 || len(v.Browsers) != len(opened) {
					t.Fatalf("%q opens: %+v", browser, v)
				}
			case 1:
				cancels := rapid.Bool().Draw(t, "cancels")
				next := rapid.StringMatching(`[A-Z]{6}`).Draw(t, "code")
				var arrival consent.Arrival
				v, arrival = v.Arrived(browser, named, cancels, consent.HashOf(next))
				if arrival == consent.ArrivalAccepted && !named && !cancels && !opened[browser] {
					t.Fatalf("%q is accepted without having opened the link", browser)
				}
				if (arrival == consent.ArrivalKnown || arrival == consent.ArrivalElsewhere) && (v.Stage != before.Stage || v.Holder != before.Holder || v.Code != before.Code) {
					t.Fatalf("a later arrival changed %+v to %+v", before, v)
				}
				if arrival == consent.ArrivalHeld {
					code, holder, wrong = next, browser, 0
				}
			case 2:
				typed := rapid.SampledFrom([]string{code, "WRONG"}).Draw(t, "typed")
				var ok bool
				v, ok = v.Entered(browser, consent.HashOf(typed))
				if ok && (!opened[browser] || typed != code || v.Holder != holder) {
					t.Fatalf("%q completes with %q", browser, typed)
				}
				if before.Stage == consent.StageHeld && !ok && opened[browser] {
					if wrong++; wrong > 5 {
						t.Fatal("more than five codes were tried")
					}
				}
			}
			if before.Stage == consent.StageAccepted && (v.Stage != consent.StageAccepted || v.Holder != before.Holder || v.Cancels != before.Cancels) {
				t.Fatalf("an accepted visit became %+v", v)
			}
			if before.Stage == consent.StageBarred && v.Stage != consent.StageBarred {
				t.Fatalf("a barred visit became %+v", v)
			}
		}
	})
}

func TestVisit_IsItsState(t *testing.T) {
	v := consent.VisitOf(consent.Way{State: "first", Once: "once-first"})
	v.ReturnTo, v.Browsers = "https://client.example/", []string{"b"}
	for _, state := range []string{"second", "third", "fourth", "fifth", "sixth"} {
		v = v.Another(consent.Way{State: state, Once: "once-" + state})
	}
	for state, want := range map[string][2]bool{"sixth": {true, false}, "fifth": {false, true}, "third": {false, true}, "first": {}, "": {}} {
		if v.Is(state) != want[0] || v.Was(state) != want[1] {
			t.Errorf("%q: is %v, was %v", state, v.Is(state), v.Was(state))
		}
		if once := "once-" + state; state != "" && (v.IsOnce(once) != want[0] || v.Was(once) != want[1] || v.Is(once) || v.IsOnce(state)) {
			t.Errorf("%q: is %v, was %v", once, v.IsOnce(once), v.Was(once))
		}
	}
	if v.ReturnTo == "" || !v.Knows("b") || v.Knows("") || (*consent.Visit)(nil).Is("sixth") || (&consent.Visit{}).IsOnce("") {
		t.Errorf("%+v", v)
	}
}

func TestVisit_ReturnsToTheOriginOfItsAddress(t *testing.T) {
	for address, want := range map[string][]string{
		"https://shop.example/back?cart=7": {"https://shop.example"}, "https://Shop.example:443/": {"https://shop.example"}, "https://shop.example:8443": {"https://shop.example:8443"},
		"http://127.0.0.1:8080/a": {"http://127.0.0.1:8080"}, "http://[::1]:80/": {"http://[::1]"}, "": nil, "shop:back": nil, "app://shop.example/": nil, "%": nil} {
		for _, origin := range []string{"", "null", "://", "https://", "http://", "app://shop.example", "https://shop.example", "https://shop.example:443", "https://shop.example:8443", "http://shop.example",
			"https://shop.example.evil.example", "https://evil.example", "http://127.0.0.1:8080", "http://127.0.0.1", "http://[::1]"} {
			if got := (consent.Visit{ReturnTo: address}).ReturnsTo(origin); got != slices.Contains(want, origin) {
				t.Errorf("%q and %q: %v", address, origin, got)
			}
		}
	}
}

func TestTokens_Stale(t *testing.T) {
	until := start.Add(consent.TokenMargin)
	for name, test := range map[string]struct {
		tokens consent.Tokens
		want   bool
	}{
		"without a refresh token": {consent.Tokens{Access: "a", Until: start}, false},
		"without an expiry":       {consent.Tokens{Access: "a", Refresh: "r"}, false},
		"without an access token": {consent.Tokens{Refresh: "r"}, true},
		"in the margin":           {consent.Tokens{Access: "a", Refresh: "r", Until: until}, true},
		"before the margin":       {consent.Tokens{Access: "a", Refresh: "r", Until: until.Add(1)}, false},
	} {
		if got := test.tokens.Stale(start); got != test.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
