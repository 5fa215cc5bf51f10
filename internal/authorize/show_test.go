package authorize

import (
	"sync"
	"testing"
	"time"

	"samla/internal/consent"
	"samla/internal/institution"
	"samla/internal/qr"
)

// The vector is BankID's published example (docs/reference/banks.md 12.5).
func TestQRText_FollowsTheClock(t *testing.T) {
	start := time.Date(2026, 4, 1, 8, 0, 0, 0, time.UTC)
	i := &consent.Instructions{QRStartToken: "67df3917-fa0d-44e5-b327-edcc928297f8",
		QRSecret: "d28db9a7-4cde-429e-a983-359be676944c", QRStartedAt: start}
	for seconds, want := range []string{
		"bankid.67df3917-fa0d-44e5-b327-edcc928297f8.0.dc69358e712458a66a7525beef148ae8526b1c71610eff2c16cdffb4cdac9bf8",
		"bankid.67df3917-fa0d-44e5-b327-edcc928297f8.1.949d559bf23403952a94d103e67743126381eda00f0b3cbddbf7c96b1adcbce2",
		"bankid.67df3917-fa0d-44e5-b327-edcc928297f8.2.a9e5ec59cb4eee4ef4117150abc58fad7a85439a6a96ccbecc3668b41795b3f3",
	} {
		at := start.Add(time.Duration(seconds)*time.Second + 999*time.Millisecond)
		if got := qrText(i, at); got != want {
			t.Errorf("after %d s: %s", seconds, got)
		}
	}
}

func TestShow_ChoosesTheFormByDeviceAndBank(t *testing.T) {
	const other, same = "SWEDISH_MOBILE_BANKID_OTHER_DEVICE", "SWEDISH_MOBILE_BANKID_SAME_DEVICE"
	full := consent.Instructions{AutoStartToken: "t", QRData: "bankid.x"}
	for _, test := range []struct {
		name   string
		method string
		gives  institution.QRKind
		do     consent.Instructions
		want   Form
	}{
		{"other device", other, institution.QRText, full, QRCode},
		{"same device", same, institution.QRText, full, AutoStart},
		{"no method, QR known", "", institution.QRText, full, QRCode},
		{"other device, bank gives the token only", other, institution.QRText, consent.Instructions{AutoStartToken: "t"}, AutoStart},
		{"bank has no QR", other, institution.QRNone, consent.Instructions{AutoStartToken: "t"}, AutoStart},
		{"other device, picture only", other, institution.QRImage, consent.Instructions{QRImage: "p"}, QRCode},
		{"same device, bank has no token", same, institution.QRImage, consent.Instructions{QRImage: "p"}, QRCode},
		{"redirect", other, institution.QRText, consent.Instructions{RedirectURL: "https://bank.example"}, Redirect},
	} {
		shown := show(consent.Consent{LoginMethod: test.method}, test.gives, &test.do, &qr.Drawing{Text: test.do.QRData})
		if shown.Form != test.want {
			t.Errorf("%s: %s, want %s", test.name, shown.Form, test.want)
		}
		if drawn := test.do.QRData != "" || test.do.QRImage != ""; shown.Form == QRCode && drawn != (shown.QRImage != "") {
			t.Errorf("%s: picture %q", test.name, shown.QRImage)
		}
		if shown.Form == AutoStart && shown.QRData != "" {
			t.Errorf("%s: shows a QR text too", test.name)
		}
	}
}

// TestInstructionCache_DrawsOutsideItsLock: while one picture is drawn, the polls
// of other consents are answered.
func TestInstructionCache_DrawsOutsideItsLock(t *testing.T) {
	l := newInstructionCache()
	now := time.Date(2026, 4, 1, 8, 0, 0, 0, time.UTC)
	slow, other := consent.Consent{ID: "slow", AuthorizeBy: now.Add(time.Minute)}, consent.Consent{ID: "other", AuthorizeBy: now.Add(time.Minute)}
	for _, c := range []consent.Consent{slow, other} {
		l.put(c, consent.Signing{}, &consent.Instructions{QRData: "bankid." + string(c.ID), RefreshedAt: now})
	}
	drawing, release := make(chan struct{}), make(chan struct{})
	d := &qr.Drawing{Text: "bankid.slow", Draw: func(string) (string, error) {
		close(drawing)
		<-release
		return "", nil
	}}
	l.entries["slow"].panel = &panel{text: d.Text, drawing: d}
	go d.Image()
	<-drawing
	done := make(chan struct{})
	go func() {
		defer close(done)
		l.show(slow, institution.QRText, now, 0)
	}()
	if shown, _, found := l.show(other, institution.QRText, now, 0); !found || shown.QRImage == "" {
		t.Errorf("shown %+v", shown)
	}
	l.put(other, consent.Signing{}, &consent.Instructions{QRData: "bankid.next", RefreshedAt: now.Add(time.Second)})
	l.drop("other")
	close(release)
	<-done
}

func TestInstructionCache_DrawsATextOnce(t *testing.T) {
	l := newInstructionCache()
	now := time.Date(2026, 4, 1, 8, 0, 0, 0, time.UTC)
	c := consent.Consent{ID: "c", AuthorizeBy: now.Add(time.Minute)}
	l.put(c, consent.Signing{}, &consent.Instructions{QRData: "bankid.x", RefreshedAt: now})
	var wg sync.WaitGroup
	shown := make([]*Shown, 64)
	for i := range shown {
		wg.Go(func() { shown[i], _, _ = l.show(c, institution.QRText, now, 0) })
	}
	wg.Wait()
	for _, s := range shown {
		if s == nil || s != shown[0] {
			t.Fatal("concurrent polls of one moment do not share what is shown")
		}
	}
	d := l.entries["c"].panel.drawing
	l.put(c, consent.Signing{}, &consent.Instructions{QRData: "bankid.x", RefreshedAt: now.Add(time.Second), UserMessage: consent.UserMessage{Code: "RFA9", Text: "t"}})
	again, _, _ := l.show(c, institution.QRText, now, 0)
	if again.UserMessage.Code != "RFA9" || l.entries["c"].panel.drawing != d {
		t.Error("a new message with the same text draws the picture again, or is not shown")
	}
}
