package listing

import (
	"strconv"
	"testing"

	"samla/internal/fact"
)

func BenchmarkFind(b *testing.B) {
	for _, n := range []int{5, 1000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			entries := make([]fact.Account, n)
			for i := range entries {
				entries[i] = fact.Account{Key: "account/" + strconv.Itoa(i), ID: strconv.Itoa(i), IBAN: "SE4550000000" + strconv.Itoa(100000000000+i),
					Currency: "SEK", Name: "Privatkonto", Product: "Privatkonto Bas", Type: "CACC"}
			}
			b.ReportAllocs()
			for b.Loop() {
				if f := search.Find(entries); len(f.Accounts) != n {
					b.Fatal(len(f.Accounts))
				}
			}
		})
	}
}
