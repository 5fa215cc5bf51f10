package normalise

import (
	"testing"

	"samla/internal/fact"
)

func TestTransactions_LoseAndDoubleNoRow(t *testing.T) {
	for name, c := range map[string]struct {
		pages            []string
		want, indistinct int
	}{
		// Ids.
		"a repeat with its id":                    {[]string{"+30 -100 a id=1", "+30 -100 a id=1; +29 -200 b id=2"}, 2, 0},
		"a repeat with its id on one page":        {[]string{"+30 -100 a id=1; +30 -100 a id=1"}, 1, 0},
		"a repeat with its reference":             {[]string{"+30 -100 a ref=1; +30 -100 a ref=1"}, 1, 0},
		"a repeat with more text":                 {[]string{"+30 -100 a id=1", "+30 -100 a-and-more id=1 value=29"}, 1, 0},
		"equal rows with different ids":           {[]string{"+30 -100 a id=1; +30 -100 a id=2", "+30 -100 a id=3"}, 3, 0},
		"one id, different days":                  {[]string{"+30 -100 a id=1; +14 -100 a id=1"}, 2, 0},
		"one id, different amounts":               {[]string{"+30 -100 a id=1; +30 -200 a id=1"}, 2, 0},
		"one id, different texts":                 {[]string{"+30 -100 apples id=1; +30 -100 pears id=1"}, 2, 0},
		"one id, different balances after":        {[]string{"+30 -100 a id=1 after=900; +30 -100 a id=1 after=800"}, 2, 0},
		"one id, different references":            {[]string{"+30 -100 a id=1 ref=x; +30 -100 a id=1 ref=y"}, 2, 0},
		"one id of different rows, and repeats":   {[]string{"+30 -100 a id=9; +14 -200 b id=9", "+30 -100 a id=9"}, 2, 0},
		"one id of different rows on one day":     {[]string{"+30 -100 a id=9; +30 -200 b id=9; +30 -5 z", "+30 -7 y; +30 -100 a id=9"}, 4, 0},
		"one reference of different rows, equals": {[]string{"+30 -100 a ref=9; +14 -200 b ref=9; +14 -200 b ref=9"}, 3, 0},
		"counters that begin again on each page":  {[]string{"+30 -100 a id=1; +29 -200 b id=2", "+28 -100 c id=1; +27 -200 d id=2"}, 4, 0},
		"ids beside a common reference":           {[]string{"+30 -100 a id=1 ref=x; +30 -100 a id=2 ref=x"}, 2, 0},

		// Rows without ids on one page.
		"equal rows of one page": {[]string{"+30 -100 a; +30 -100 a"}, 2, 0},
		"three equal pending":    {[]string{"-0 -100 a; -0 -100 a; -0 -100 a"}, 3, 0},

		// Pages that overlap.
		"the last row again":              {[]string{"+30 -100 a; +29 -200 b", "+29 -200 b; +28 -300 c"}, 3, 0},
		"the last two rows again":         {[]string{"+30 -100 a; +29 -200 b; +29 -300 c", "+29 -200 b; +29 -300 c; +28 -4 d"}, 4, 0},
		"two rows again in another order": {[]string{"+30 -100 a; +29 -200 b; +29 -300 c", "+29 -300 c; +29 -200 b; +28 -4 d"}, 4, 0},
		"equal rows again":                {[]string{"+30 -100 a; +29 -200 b; +29 -200 b", "+29 -200 b; +29 -200 b; +28 -4 d"}, 4, 0},
		"one of equal rows again":         {[]string{"+30 -100 a; +29 -200 b; +29 -200 b", "+29 -200 b; +28 -4 d"}, 4, 0},
		"equal rows again, others too":    {[]string{"+30 -7 t; +30 -7 t; +29 -7 u; +29 -7 u", "+29 -7 u; +29 -7 u; +28 -4 d"}, 5, 0},
		"more of the equal rows":          {[]string{"+30 -100 a; +29 -200 b", "+29 -200 b; +29 -200 b; +28 -4 d"}, 4, 0},
		"the same page again":             {[]string{"+30 -100 a; +29 -200 b", "+30 -100 a; +29 -200 b", "+30 -100 a; +29 -200 b"}, 2, 0},
		"the only row again":              {[]string{"+30 -100 a", "+30 -100 a", "+30 -100 a"}, 1, 0},
		"ascending days":                  {[]string{"+28 -100 a; +29 -200 b", "+29 -200 b; +30 -4 d"}, 3, 0},
		"a row of a day that was over":    {[]string{"+30 -100 a; +29 -200 b", "+30 -100 a; +28 -4 c"}, 3, 0},
		"all pages have the pending rows": {[]string{"-0 -1 p; -0 -1 p; +30 -100 a", "-0 -1 p; -0 -1 p; +29 -200 b"}, 4, 0},
		"an id proves the overlap":        {[]string{"+30 -5 x; +30 -100 a; +30 -200 b id=7", "+30 -200 b id=7; +30 -100 a; +30 -9 z"}, 4, 0},
		"an empty page between":           {[]string{"+30 -100 a; +29 -200 b", "", "+28 -300 c"}, 3, 0},
		"rows without a day":              {[]string{"+0 -100 a; +0 -200 b", "+0 -200 b; +0 -300 c"}, 3, 0},

		// Pages that do not overlap, and what cannot be known.
		"other balances after":                                  {[]string{"+30 -1 a; +29 -200 b after=900", "+29 -200 b after=700; +28 -3 c"}, 4, 0},
		"other value dates":                                     {[]string{"+30 -1 a; +29 -200 b value=29", "+29 -200 b value=30; +28 -3 c"}, 4, 0},
		"a day on both sides of a seam":                         {[]string{"+30 -1 a; +29 -200 b; +29 -3 x", "+29 -200 b; +28 -3 c"}, 5, 1},
		"an account with equal rows, pages that do not overlap": {[]string{"+30 -7 t; +30 -7 t; +29 -7 t", "+29 -7 t; +28 -7 t; +28 -7 t", "+27 -7 t; +27 -7 t"}, 8, 0},
		"an account with equal rows, pages that may overlap":    {[]string{"+30 -7 t; +30 -7 t; +29 -7 t", "+29 -7 t; +28 -7 t; +28 -7 t"}, 6, 1},
	} {
		var pages [][]fact.Transaction
		for _, text := range c.pages {
			pages = append(pages, page(text))
		}
		rows, indistinct := rowsOfPages(pages...)
		if len(rows) != c.want || indistinct != c.indistinct {
			t.Errorf("%s: %d rows, %d indistinct, want %d, %d", name, len(rows), indistinct, c.want, c.indistinct)
		}
		ids := map[string]bool{}
		for _, r := range rows {
			if r.TransactionID == "" || ids[r.TransactionID] {
				t.Errorf("%s: a row has no id of its own", name)
			}
			ids[r.TransactionID] = true
		}
	}
}

func TestTransactions_KeepTheFullestRepeat(t *testing.T) {
	rows, _ := rowsOfPages(page("+30 -100 Hyra id=1"), page("+30 -100 Hyra-april id=1 name=Eken"))
	if len(rows) != 1 || rows[0].Description != "Hyra-april" || rows[0].CounterpartyName != "Eken" {
		t.Errorf("got %d rows, the first %q of %q", len(rows), rows[0].Description, rows[0].CounterpartyName)
	}
}
