package samla

import (
	"testing"
	"time"
)

func TestCodes_SayWhenACodeIsOfNoUse(t *testing.T) {
	at := time.Date(2026, 4, 1, 8, 0, 0, 0, time.UTC)
	first, second := "bankid.67df3917.0.dc69", "bankid.67df3917.1.949d"
	end := at.Add(5 * time.Minute)
	var c codes
	for i, step := range []struct {
		after time.Duration
		view  View
		want  time.Time
	}{
		{0, View{QRText: first, ExpiresAt: end}, at.Add(QRLife)},
		{time.Second, View{QRText: first, ExpiresAt: end}, at.Add(QRLife)}, // it stands still
		{2 * time.Second, View{QRText: second, QRImage: []byte{1}, ExpiresAt: end}, at.Add(2*time.Second + QRLife)},
		{3 * time.Second, View{QRText: second, ExpiresAt: at.Add(4 * time.Second)}, at.Add(4 * time.Second)},
		{4 * time.Second, View{Message: "Enter your code", ExpiresAt: end}, time.Time{}},
		{5 * time.Second, View{QRText: second, ExpiresAt: end}, at.Add(5*time.Second + QRLife)},
		{6 * time.Second, View{QRImage: []byte{1}, ExpiresAt: end}, end},
		{7 * time.Second, View{QRText: "a text of another app", ExpiresAt: end}, end},
		{8 * time.Second, View{QRText: second}, at.Add(8*time.Second + QRLife)},
	} {
		if got := c.until(step.view, at.Add(step.after)); !got.Equal(step.want) {
			t.Errorf("%d: %v, want %v", i, got, step.want)
		}
	}
}
