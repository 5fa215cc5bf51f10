package consent_test

import (
	"slices"
	"testing"
	"time"

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

// What each browser may do when it opens the link. The starter's own one is "mine".
func TestVisit_OpenedSaysWhoGoesOn(t *testing.T) {
	nobody, mine := consent.Visit{}, consent.Visit{Browsers: []string{"mine"}}
	full := consent.Visit{Browsers: []string{"mine", "b", "c", "d"}}
	for name, test := range map[string]struct {
		of           consent.Visit
		browser      string
		named, begun bool
		want         consent.Departure
	}{
		"the first, at a bank that names the signer": {nobody, "mine", true, false, consent.DepartureGoes},
		"the first, at any other":                    {nobody, "mine", false, false, consent.DepartureAsks},
		"the first, whose person has begun":          {nobody, "mine", false, true, consent.DepartureGoes},
		"another, at a bank that names the signer":   {mine, "other", true, false, consent.DepartureAsks},
		"another, at any other":                      {mine, "other", false, false, consent.DepartureAsks},
		"another, whose person has begun":            {mine, "other", false, true, consent.DepartureGoes},
		"one that has opened it":                     {mine, "mine", false, false, consent.DepartureGoes},
		"one without a cookie":                       {nobody, "", true, true, consent.DepartureBarred},
		"a fifth":                                    {full, "e", false, true, consent.DepartureBarred},
		"one of four":                                {full, "d", false, false, consent.DepartureGoes},
	} {
		after, got := test.of.Opened(test.browser, test.named, test.begun)
		if got != test.want || after.Knows(test.browser) != (test.want == consent.DepartureGoes) {
			t.Errorf("%s: %d, knows %v", name, got, after.Browsers)
		}
	}
}

// What follows when a browser comes back.
func TestVisit_ArrivedSaysWhatFollows(t *testing.T) {
	at := func(stage consent.Stage) consent.Visit {
		return consent.Visit{Browsers: []string{"mine"}, Stage: stage, Holder: "phone", Code: "before"}
	}
	open := consent.Visit{Browsers: []string{"mine"}}
	for name, test := range map[string]struct {
		of             consent.Visit
		browser        string
		named, cancels bool
		want           consent.Arrival
	}{
		"in a browser of the way":                 {open, "mine", false, false, consent.ArrivalAccepted},
		"in another one":                          {open, "phone", false, false, consent.ArrivalHeld},
		"in another one, which only says no":      {open, "phone", false, true, consent.ArrivalAccepted},
		"in another one, and the signer is named": {open, "phone", true, false, consent.ArrivalAccepted},
		"without a cookie":                        {open, "", false, false, consent.ArrivalHeld},
		"held: the one that holds it":             {at(consent.StageHeld), "phone", false, false, consent.ArrivalKnown},
		"held: a third one":                       {at(consent.StageHeld), "third", false, false, consent.ArrivalElsewhere},
		"held: gives way to one of the way":       {at(consent.StageHeld), "mine", false, false, consent.ArrivalAccepted},
		"accepted: the one that came back":        {at(consent.StageAccepted), "phone", false, false, consent.ArrivalKnown},
		"accepted: one of the way":                {at(consent.StageAccepted), "mine", true, false, consent.ArrivalKnown},
		"accepted: another one":                   {at(consent.StageAccepted), "third", true, true, consent.ArrivalElsewhere},
		"accepted: without a cookie":              {consent.Visit{Stage: consent.StageAccepted}, "", true, false, consent.ArrivalElsewhere},
		"barred: even one of the way":             {at(consent.StageBarred), "mine", true, false, consent.ArrivalElsewhere},
		"barred: the one that held it, with a no": {at(consent.StageBarred), "phone", false, true, consent.ArrivalElsewhere},
	} {
		after, got := test.of.Arrived(test.browser, test.named, test.cancels, "new")
		if got != test.want {
			t.Errorf("%s: %d", name, got)
		}
		switch got {
		case consent.ArrivalAccepted:
			if after.Stage != consent.StageAccepted || after.Holder != test.browser || after.Code != "" || after.Cancels != test.cancels {
				t.Errorf("%s: %+v", name, after)
			}
		case consent.ArrivalHeld:
			if after.Stage != consent.StageHeld || after.Holder != test.browser || after.Code != "new" {
				t.Errorf("%s: %+v", name, after)
			}
		default:
			if after.Stage != test.of.Stage || after.Holder != test.of.Holder || after.Code != test.of.Code {
				t.Errorf("%s changed it to %+v", name, after)
			}
		}
	}
}

// The fifth wrong code is the last, and a right one counts only where it may.
func TestVisit_EnteredCountsWrongCodes(t *testing.T) {
	v := consent.Visit{Browsers: []string{"mine"}, Stage: consent.StageHeld, Holder: "phone", Code: "right"}
	if _, ok := v.Entered("phone", "right"); ok {
		t.Error("the browser that shows the code typed it")
	}
	if after, ok := v.Entered("mine", "right"); !ok || after.Stage != consent.StageAccepted || after.Holder != "phone" {
		t.Errorf("the right code: %+v", after)
	}
	open := consent.Visit{Browsers: []string{"mine"}}
	if after, ok := open.Entered("mine", ""); ok || after.Tries != 0 {
		t.Errorf("without anything held: %+v", after)
	}
	for n := 1; n <= 5; n++ {
		if v, _ = v.Entered("mine", "wrong"); (v.Stage == consent.StageBarred) != (n == 5) {
			t.Errorf("after %d wrong codes: %s", n, v.Stage)
		}
	}
	if _, ok := v.Entered("mine", "right"); ok {
		t.Error("the right code after five wrong ones")
	}
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

func TestTokens_AnswersOfARefresh(t *testing.T) {
	later := start.Add(time.Hour)
	for _, test := range []struct{ tokens, before, want consent.Tokens }{
		{consent.Tokens{Access: "b"}, consent.Tokens{Until: start}, consent.Tokens{Access: "b", Until: start.Add(consent.UntoldLife)}},
		{consent.Tokens{Access: "b"}, consent.Tokens{}, consent.Tokens{Access: "b"}},
		{consent.Tokens{Access: "b", Until: later}, consent.Tokens{Until: start}, consent.Tokens{Access: "b", Until: later}},
		{consent.Tokens{Access: "b", Until: later}, consent.Tokens{}, consent.Tokens{Access: "b", Until: later}},
	} {
		if got := test.tokens.Since(test.before, start); got != test.want {
			t.Errorf("%v after %v: %v", test.tokens, test.before, got)
		}
	}
	old := consent.Tokens{Access: "a", Refresh: "r", RefreshUntil: later}
	if got := old.Replaced(consent.Tokens{Access: "b"}); got != (consent.Tokens{Access: "b", Refresh: "r", RefreshUntil: later}) {
		t.Errorf("without a refresh token: %v", got)
	}
	if next := (consent.Tokens{Access: "b", Refresh: "s"}); old.Replaced(next) != next {
		t.Errorf("with one: %v", old.Replaced(next))
	}
	for tokens, want := range map[consent.Tokens]bool{{}: false, {Until: later}: false, {Access: "a"}: true, {Refresh: "r"}: true} {
		if tokens.Given() != want {
			t.Errorf("%v is given: %t", tokens, !want)
		}
	}
}

func TestDenial_IsBelievedTheSecondTime(t *testing.T) {
	var none *consent.Denial
	first, certain := none.Denied(start, false)
	if certain || first != (consent.Denial{At: start, Times: 1}) {
		t.Errorf("the first: %v, %t", first, certain)
	}
	for _, test := range []struct {
		after  time.Duration
		outage bool
		want   bool
	}{{consent.DenialConfirmedAfter - 1, false, false}, {consent.DenialConfirmedAfter, false, true}, {consent.DenialConfirmedAfter, true, false}} {
		next, certain := first.Denied(start.Add(test.after), test.outage)
		if certain != test.want || next != (consent.Denial{At: start, Times: 2}) {
			t.Errorf("after %s, outage %t: %v, %t", test.after, test.outage, next, certain)
		}
	}
	if none.Lately(start) != nil || first.Lately(start.Add(consent.DenialForgottenAfter)) == nil || first.Lately(start.Add(consent.DenialForgottenAfter+1)) != nil {
		t.Error("a denial is forgotten too early, or never")
	}
}
