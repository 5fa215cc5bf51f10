package record

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"samla/internal/ident"
	"samla/internal/money"
)

func TestSecret_KeepsBeginningsAndEndsAndSums(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := newSecret(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(rt, "key"))
		word := rapid.StringMatching(`[A-Za-zåäöÅÄÖ]{2,12}`).Draw(rt, "word")
		cut := string([]rune(word)[:1])
		if out := s.word(word); !strings.HasPrefix(out, s.word(cut)) || len([]rune(out)) != len([]rune(word)) {
			rt.Errorf("%q became %q, %q %q", word, out, cut, s.word(cut))
		}
		number := rapid.StringMatching(`[0-9]{3,20}`).Draw(rt, "number")
		if out := s.digits(number); !strings.HasSuffix(out, s.digits(number[2:])) || len(out) != len(number) {
			rt.Errorf("%q became %q", number, out)
		}
		a, b := rapid.StringMatching(`-?[1-9][0-9]{0,6}\.[0-9]{2}`).Draw(rt, "a"), rapid.StringMatching(`-?[1-9][0-9]{0,6}\.[0-9]{2}`).Draw(rt, "b")
		sum, err := money.Must(a, "SEK").Value().Add(money.Must(b, "SEK").Value())
		if err != nil {
			rt.Fatal(err)
		}
		after, err := money.Must(s.amount(a), "SEK").Value().Add(money.Must(s.amount(b), "SEK").Value())
		if err != nil || after.Cmp(money.Must(s.amount(sum.String()), "SEK").Value()) != 0 {
			rt.Errorf("%s + %s: %s, %v", a, b, after, err)
		}
	})
}

func TestReplacer_ReplacesWhatIsPersonal(t *testing.T) {
	r := newReplacer([]byte("key"), 10, "https://bank.se/xs2a")
	r.profile(nil)
	for _, valid := range []string{"SE4550000000058398257466", "SE45 5000 0000 0583 9825 7466", "NO9386011117947"} {
		out := r.value("iban", valid, false)
		if _, err := ident.ParseIBAN(out); err != nil || out == valid || len(out) != len(valid) {
			t.Errorf("%s became %s, %v", valid, out, err)
		}
	}
	if out := r.value("iban", "SE4560000000058398257466", false); out[:2] != "SE" {
		t.Error(out)
	} else if _, err := ident.ParseIBAN(out); err == nil {
		t.Errorf("an invalid one became %s", out)
	}
	for in, want := range map[[2]string]string{
		{"currency", "SEK"}: "SEK", {"balanceType", "interimBooked"}: "interimBooked", {"bookingDate", "2026-03-20"}: "2026-03-30",
		{"bookingDate", "20260320"}: "20260330", {"bookingDate", "0000-00-00"}: "0000-00-00", {"ownerName", "NOTPROVIDED"}: "NOTPROVIDED",
		{"additionalInformation", "19121212-1212"}: "19121212-1212", {"amount", "0.00"}: "0.00",
		{"href", "https://bank.se/xs2a/v1/accounts?page=2"}: "https://{host}/psd2/v1/accounts?page=2",
	} {
		if out := r.value(in[0], in[1], false); out != want {
			t.Errorf("%s %q became %q, want %q", in[0], in[1], out, want)
		}
	}
	for _, secret := range []string{"Astrid", "Quist", "Storgatan", "sparkontot-Astrid"} {
		if out := r.value("name", secret, false); strings.Contains(out, "Astrid") || out == secret {
			t.Errorf("%q became %q", secret, out)
		}
	}
	if out := r.member("AstridQuist"); out != "x-member-1" {
		t.Error(out)
	}
}
