package webhook_test

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	standard "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"pgregory.net/rapid"

	"samla/internal/webhook"
)

var start = time.Date(2026, 4, 1, 8, 0, 0, 0, time.UTC)

func newSecret(t testing.TB, fill byte) webhook.Secret {
	t.Helper()
	s, err := webhook.NewSecret(bytes.NewReader(bytes.Repeat([]byte{fill}, 32)))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// docs/reference/api.md 7.2: the key of X-Insurely-Signature is the text of the secret.
func TestSign_MatchesVector(t *testing.T) {
	h := http.Header{}
	s := webhook.Secret("whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=")
	if err := webhook.Sign(h, []webhook.Secret{s}, "6f1c2e9a-3b1d-4a77-9b2e-2c0a8f3d4e55", time.Unix(1781169704, 0), []byte(`{"a":1}`)); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		// printf '{"a":1}' | openssl dgst -sha256 -hmac "$SECRET"
		"X-Insurely-Signature": vectorHex,
		// printf '%s.%s.{"a":1}' ID TIME | openssl dgst -sha256 -hmac 0123456789abcdef0123456789abcdef -binary | base64
		"webhook-signature": "v1," + vectorBase64,
		"webhook-timestamp": "1781169704", "webhook-id": "6f1c2e9a-3b1d-4a77-9b2e-2c0a8f3d4e55", "X-Insurely-Event-Id": "6f1c2e9a-3b1d-4a77-9b2e-2c0a8f3d4e55",
	}
	for name, value := range want {
		if got := h[name]; len(got) != 1 || got[0] != value {
			t.Errorf("%s: %q, want %q", name, got, value)
		}
	}
}

// The public verifier of Standard Webhooks accepts what is signed, with each valid secret,
// and nothing else.
func TestSign_StandardVerifierAccepts(t *testing.T) {
	old, fresh, other := newSecret(t, 1), newSecret(t, 2), newSecret(t, 3)
	body := []byte(`{"eventId":"e"}`)
	signed := func(secrets ...webhook.Secret) http.Header {
		h := http.Header{}
		if err := webhook.Sign(h, secrets, "e", time.Now(), body); err != nil {
			t.Fatal(err)
		}
		return canonical(h)
	}
	verify := func(s webhook.Secret, h http.Header, body []byte) error {
		w, err := standard.NewWebhook(s.Reveal())
		if err != nil {
			t.Fatal(err)
		}
		return w.Verify(body, h)
	}
	for name, test := range map[string]struct {
		err  error
		want bool
	}{
		"one secret":         {verify(old, signed(old), body), true},
		"overlap, old":       {verify(old, signed(old, fresh), body), true},
		"overlap, fresh":     {verify(fresh, signed(old, fresh), body), true},
		"another secret":     {verify(other, signed(old, fresh), body), false},
		"another body":       {verify(old, signed(old), []byte(`{"eventId":"f"}`)), false},
		"ours of the old":    {webhook.Verify(signed(old, fresh), old, time.Now(), body), true},
		"ours of the fresh":  {webhook.Verify(signed(old, fresh), fresh, time.Now(), body), false}, // X-Insurely-Signature is the old one's
		"ours alone":         {webhook.Verify(signed(fresh), fresh, time.Now(), body), true},
		"ours, another body": {webhook.Verify(signed(fresh), fresh, time.Now(), []byte("{}")), false},
		"ours, too old":      {webhook.Verify(signed(fresh), fresh, time.Now().Add(time.Hour), body), false},
	} {
		if (test.err == nil) != test.want {
			t.Errorf("%s: %v", name, test.err)
		}
	}
}

// canonical is how net/http passes headers to a receiver.
func canonical(h http.Header) http.Header {
	c := http.Header{}
	for name, values := range h {
		c[http.CanonicalHeaderKey(name)] = values
	}
	return c
}

func TestSecret_PrintsMasked(t *testing.T) {
	s := newSecret(t, 7)
	c := webhook.Confidential{URL: "https://receiver.example.com", Current: s}
	for _, text := range []string{fmt.Sprint(s), fmt.Sprintf("%v %+v %#v %s", c.Current, s, s, s)} {
		if strings.Contains(text, s.Reveal()[6:]) {
			t.Error(text)
		}
	}
	for _, bad := range []string{"", "whsec_", "whsec_AAAA", "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=", "whsec_!" + s.Reveal()[7:]} {
		if _, err := webhook.ParseSecret(bad); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}

// However often it is rotated, at most two secrets are valid, and the newest always is.
func TestConfidential_AtMostTwoSecrets(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now, c := start, webhook.Confidential{Current: "s0"}
		ended := map[webhook.Secret]time.Time{}
		for i := range rapid.IntRange(1, 8).Draw(t, "rotations") {
			now = now.Add(time.Duration(rapid.IntRange(0, 30).Draw(t, "hours")) * time.Hour)
			immediate := rapid.Bool().Draw(t, "immediate")
			before := c
			c = c.Rotate(webhook.Secret(fmt.Sprint("s", i+1)), now, immediate)
			if before.Previous != "" && ended[before.Previous].After(now) {
				ended[before.Previous] = now
			}
			ended[before.Current] = now.Add(webhook.Overlap)
			if immediate {
				ended[before.Current] = now
			}
			at := now.Add(time.Duration(rapid.IntRange(0, 30).Draw(t, "later")) * time.Hour)
			valid := c.Secrets(at)
			if len(valid) > 2 || valid[len(valid)-1] != c.Current {
				t.Fatalf("%v", valid)
			}
			for _, s := range valid[:len(valid)-1] {
				if !at.Before(ended[s]) {
					t.Fatalf("%s is valid at %v, it ended at %v", string(s), at, ended[s])
				}
			}
		}
	})
}

var failures = []webhook.Outcome{{Status: 500, Err: webhook.StatusNot2xx}, {Err: webhook.TimedOut}, {Status: 302, Err: webhook.RedirectIgnored},
	{Status: 503, Err: webhook.StatusNot2xx, RetryAfter: time.Hour}, {Status: 429, Err: webhook.StatusNot2xx, RetryAfter: webhook.LongestRetryAfter}}

// A delivery gets at most eight attempts, at the documented times, and none after success.
func TestDelivery_Schedule(t *testing.T) {
	documented := []time.Duration{0, 5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 10 * time.Hour}
	rapid.Check(t, func(t *rapid.T) {
		d := webhook.Delivery{Progress: webhook.Pending, DueAt: start}
		now, attempts := start, 0
		for d.Progress == webhook.Pending {
			o := rapid.SampledFrom(append(failures, webhook.Outcome{Status: 204})).Draw(t, "outcome")
			before := d
			d = d.After(o, now, rapid.Float64Range(0, 0.999).Draw(t, "random"))
			attempts++
			if o.Success() != (d.Progress == webhook.Delivered) || attempts > len(documented) || d.Attempts != attempts || d.Total != attempts {
				t.Fatalf("%+v after %+v", d, o)
			}
			if d.Progress != webhook.Pending {
				break
			}
			least := max(documented[attempts], o.RetryAfter)
			most := max(documented[attempts]*6/5, o.RetryAfter)
			if w := d.DueAt.Sub(now); w < least || w > most {
				t.Fatalf("attempt %d after %v, want %v to %v", attempts+1, w, least, most)
			}
			if d.HoldUntil.After(start.Add(webhook.LongestHold)) && before.HoldUntil.IsZero() && now.Equal(start) {
				t.Fatalf("held until %v", d.HoldUntil)
			}
			if !before.HoldUntil.IsZero() && !d.HoldUntil.Equal(before.HoldUntil) {
				t.Fatal("a later failure makes the resource wait longer")
			}
			now = d.DueAt
		}
		again := d.Replay(now)
		if again.Progress != webhook.Pending || again.Attempts != 0 || again.Total != d.Total || again.Lane != webhook.Replayed {
			t.Fatalf("%+v", again)
		}
	})
}

// 410 is no failed attempt of the event: it is kept for the time after the pause.
func TestDelivery_IsKeptWhenGone(t *testing.T) {
	d := webhook.Delivery{Progress: webhook.Pending, Attempts: 7}.After(webhook.Outcome{Status: 410, Err: webhook.StatusNot2xx}, start, 0)
	if d.Progress != webhook.Pending || d.Attempts != 7 || d.Total != 1 {
		t.Errorf("%+v", d)
	}
}

func TestEndpoint_PausesAndComesBack(t *testing.T) {
	const after = 5 * 24 * time.Hour
	failed := webhook.Outcome{Err: webhook.TimedOut}
	e := webhook.Endpoint{State: webhook.Active}.After(failed, start, after)
	if e = e.After(failed, start.Add(after-1), after); e.State != webhook.Active || !e.FailingSince.Equal(start) {
		t.Errorf("too early: %+v", e)
	}
	ok := e.After(webhook.Outcome{Status: 200}, start.Add(after), after)
	if !ok.FailingSince.IsZero() || ok.After(failed, start.Add(2*after), after).State != webhook.Active {
		t.Errorf("a success does not count: %+v", ok)
	}
	if e = e.After(failed, start.Add(after), after); e.State != webhook.Paused || e.Reason != webhook.Failing {
		t.Errorf("%+v", e)
	}
	if e = e.Resume(start.Add(after)); e.State != webhook.Active || e.Reason != "" || !e.FailingSince.IsZero() {
		t.Errorf("%+v", e)
	}
	if e = e.After(webhook.Outcome{Status: 410, Err: webhook.StatusNot2xx}, start, after); e.Reason != webhook.Gone {
		t.Errorf("%+v", e)
	}
	if e = e.Pause(webhook.Failing, start); e.Reason != webhook.Gone {
		t.Errorf("%+v", e)
	}
	if e = e.Pause(webhook.ByClient, start); e.Reason != webhook.ByClient {
		t.Errorf("%+v", e)
	}
}

func TestTargets_RefuseURLs(t *testing.T) {
	for url, want := range map[string][3]bool{ // public, loopback, any
		"https://receiver.example.com/hook?a=b": {true, true, true}, "https://receiver.example.com:8443": {true, true, true}, "https://93.184.216.34/": {true, true, true},
		"https://[2606:2800:220:1:248:1893:25c8:1946]/": {true, true, true}, "http://receiver.example.com/": {false, false, true},
		"http://127.0.0.1:9/": {false, true, true}, "http://localhost:9/": {false, true, true}, "https://localhost/": {false, true, true}, "https://[::1]/": {false, true, true},
		"http://10.0.0.1/": {false, false, true}, "https://10.0.0.1/": {false, false, true}, "https://169.254.169.254/": {false, false, true},
		"https://[::ffff:10.0.0.1]/": {false, false, true}, "https://[fe80::1%25eth0]/": {}, "https://0.0.0.0/": {}, "https://[::]/": {},
		"https://127.1/": {}, "https://0x7f000001/": {}, "https://2130706433/": {}, "https://a.b.0x7f/": {}, "https://017700000001/": {},
		"https://user@receiver.example.com/": {}, "https://receiver.example.com/#a": {}, "https:receiver.example.com": {}, "//receiver.example.com": {}, "": {},
		"ftp://receiver.example.com/": {}, "https://receiver.example.com:0/": {}, "https://receiver.example.com:70000/": {}, "https://receiver.example.com:/": {},
		"https://réceiver.example.com/": {}, "https://a b/": {}, "https://a\\@b/": {}, "https://-a.com/": {}, "https://a..com/": {}, "https:///a": {},
		"https://receiver.example.com/" + strings.Repeat("x", 2048): {},
	} {
		for i, targets := range []webhook.Targets{webhook.PublicTargets, webhook.LoopbackTargets, webhook.AnyTargets} {
			err := targets.CheckURL(url)
			if (err == nil) != want[i] {
				t.Errorf("%s %s: %v", targets, url, err)
			}
			if err != nil && len(url) > 5 && strings.Contains(err.Error(), url) {
				t.Errorf("the error shows the URL: %v", err)
			}
		}
	}
}

func TestTargets_AllowPublicAddressesOnly(t *testing.T) {
	for text, want := range map[string]bool{
		"93.184.216.34": true, "8.8.8.8": true, "2606:4700::1111": true, "::ffff:8.8.8.8": true, "64:ff9b::808:808": true,
		"10.1.2.3": false, "172.16.0.1": false, "172.31.255.255": false, "172.32.0.1": true, "192.168.0.1": false, "100.64.0.1": false, "100.127.255.255": false, "100.128.0.1": true,
		"127.0.0.1": false, "127.255.255.254": false, "169.254.169.254": false, "0.0.0.0": false, "0.1.2.3": false, "224.0.0.1": false, "255.255.255.255": false, "240.0.0.1": false,
		"192.0.2.1": false, "198.18.0.1": false, "168.63.129.16": false, "100.100.100.200": false,
		"::1": false, "::": false, "fe80::1": false, "fc00::1": false, "fd00:ec2::254": false, "ff02::1": false, "2001:db8::1": false,
		"::ffff:127.0.0.1": false, "::ffff:169.254.169.254": false, "::127.0.0.1": false, "::8.8.8.8": false, "64:ff9b::7f00:1": false, "64:ff9b::a9fe:a9fe": false,
		"64:ff9b:1::a9fe:a9fe": false, "2002:7f00:1::": false, "2002:808:808::1": false, "2001:0:4136:e378:8000:63bf:3fff:fdd2": false, "fec0::1": false, "100::1": false,
	} {
		if got := webhook.PublicTargets.Allows(netip.MustParseAddr(text)); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}

// No form of an IPv4 address in IPv6 reaches what the IPv4 address itself does not.
func TestTargets_FormsOfIPv4InIPv6(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v4 := [4]byte(rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(t, "address"))
		forms := map[string][16]byte{}
		put := func(name string, prefix string, at int) {
			b := netip.MustParseAddr(prefix).As16()
			copy(b[at:], v4[:])
			forms[name] = b
		}
		put("mapped", "::ffff:0:0", 12)
		put("compatible", "::", 12)
		put("translated", "::ffff:0:0:0", 12)
		put("NAT64", "64:ff9b::", 12)
		put("local NAT64", "64:ff9b:1::", 12)
		put("6to4", "2002::", 2)
		put("Teredo server", "2001::", 4)
		put("ISATAP", "fe80::5efe:0:0", 12)
		for _, targets := range []webhook.Targets{webhook.PublicTargets, webhook.LoopbackTargets} {
			direct := targets.Allows(netip.AddrFrom4(v4))
			for name, form := range forms {
				if addr := netip.AddrFrom16(form); targets.Allows(addr) && !direct && !addr.IsLoopback() {
					t.Fatalf("%s: %s form %v is allowed", targets, name, addr)
				}
			}
		}
	})
}

func FuzzCheckURL(f *testing.F) {
	for _, seed := range []string{"https://a.example.com/", "https://127.0.0.1/", "https://[::ffff:7f00:1]/", "https://user@a", "https://0x7f.1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, url string) {
		if err := webhook.PublicTargets.CheckURL(url); err == nil {
			if !strings.HasPrefix(strings.ToLower(url), "https://") || strings.ContainsAny(url, "@#\\ \r\n\t") && !strings.ContainsAny(url[8:], "/?") {
				t.Errorf("%q is accepted", url)
			}
			if webhook.LoopbackTargets.CheckURL(url) != nil {
				t.Errorf("%q is accepted by the stricter setting only", url)
			}
		}
	})
}

func FuzzVerify(f *testing.F) {
	s := webhook.Secret("whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=")
	f.Add("e", "1781169704", "v1,AAAA", "00", "{}")
	f.Fuzz(func(t *testing.T, id, stamp, signed, hex, body string) {
		h := http.Header{"Webhook-Id": {id}, "X-Insurely-Event-Id": {id}, "Webhook-Timestamp": {stamp}, "Webhook-Signature": {signed}, "X-Insurely-Signature": {hex}}
		if err := webhook.Verify(h, s, start, []byte(body)); err == nil {
			t.Error("a made-up signature is accepted")
		} else if !slices.ContainsFunc([]error{webhook.ErrEventID, webhook.ErrTimestamp, webhook.ErrSignature, webhook.ErrStandard}, func(e error) bool { return errors.Is(err, e) }) {
			t.Error(err)
		}
	})
}

func TestOutcomeOf_ReadsRetryAfter(t *testing.T) {
	for value, want := range map[string]time.Duration{"": 0, "0": 0, "17": 17 * time.Second, " 5 ": 5 * time.Second, "-1": 0, "1.5": 0, "soon": 0,
		"99999999999999999999": webhook.LongestRetryAfter, "9999999999": webhook.LongestRetryAfter, "99999999999999999999x": 0,
		start.Add(time.Minute).Format(http.TimeFormat): time.Minute, start.Add(-time.Minute).Format(http.TimeFormat): 0} {
		for status, honoured := range map[int]bool{429: true, 503: true, 500: false} {
			o := webhook.OutcomeOf(status, http.Header{"Retry-After": {value}}, start)
			if w := o.RetryAfter; honoured && w != want || !honoured && w != 0 {
				t.Errorf("%d %q: %v", status, value, w)
			}
		}
	}
}

const (
	vectorHex    = "0644de49523cf2c6c385a72deab74a857df1aa5a4539f5b8fceeab5813730bc7"
	vectorBase64 = "aNr5gEj9qrad8shC3XARZxPXmh0wT82PPMTtvA1IVWg="
)
