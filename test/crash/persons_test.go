package crash

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"samla/internal/ident"
)

// persons issues personal numbers, each once, because a bank ends the older consent of the
// same person. They have the serials of Skatteverket's test numbers, 980 to 999.
type persons struct {
	mu     sync.Mutex
	born   time.Time
	serial int
	issued map[string]bool
}

func newPersons() *persons {
	p := &persons{born: time.Date(1950, 1, 1, 0, 0, 0, 0, time.UTC), serial: 980, issued: map[string]bool{}}
	for _, number := range histories {
		p.issued[number] = true
	}
	return p
}

func (p *persons) next() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	digits := fmt.Sprintf("%s%03d", p.born.Format("20060102"), p.serial)
	if p.serial++; p.serial == 1000 {
		p.born, p.serial = p.born.AddDate(0, 0, 1), 980
	}
	number := digits + checkDigit(digits[2:])
	p.issued[number] = true
	return number
}

// checkDigit returns the Luhn check digit of nine digits.
func checkDigit(nine string) string {
	sum := 0
	for i, c := range nine {
		d := int(c - '0')
		if i%2 == 0 {
			d *= 2
		}
		sum += d/10 + d%10
	}
	return string(rune('0' + (10-sum%10)%10))
}

func TestPersons_IssueValidUniqueNumbers(t *testing.T) {
	p := newPersons()
	for range 5000 {
		if n := p.next(); n == "" {
			t.Fatal("no number")
		} else if _, err := ident.ParsePersonalNumber12(n); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(p.issued) - len(histories); n != 5000 {
		t.Errorf("%d different numbers", n)
	}
}
