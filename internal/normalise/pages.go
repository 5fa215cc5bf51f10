package normalise

// overlaps is what the pages of an account have in common. Pages overlap at some
// institutions, and a new row moves all others if pages are counted from the newest.
type overlaps struct {
	rows   []row
	pages  [][]int       // the classes of the booked rows of each page, in their order
	first  []int32       // the earliest day of each page, 0 if it has none
	last   []int32       // the latest
	order  int           // of the days: 1 ascending, -1 descending, 0 neither
	shared map[seam]int  // how many classes two pages have in common
	seams  map[int][]int // by page: the classes with which the page before ends and it begins
	double int           // classes with several rows on one page
	clean  int           // how many pages share nothing with the page before them
}

// seam is two pages, the earlier first.
type seam struct{ before, after int }

func newOverlaps(rows []row, s *classes) *overlaps {
	n := 0
	for i := range rows {
		n = max(n, rows[i].page+1)
	}
	o := &overlaps{rows: rows, pages: make([][]int, n), first: make([]int32, n), last: make([]int32, n),
		shared: map[seam]int{}, seams: map[int][]int{}}
	for i := range rows {
		r := &rows[i]
		if !r.Booked {
			continue
		}
		o.pages[r.page] = append(o.pages[r.page], s.of[i])
		if r.day != 0 {
			if o.first[r.page] == 0 || r.day < o.first[r.page] {
				o.first[r.page] = r.day
			}
			o.last[r.page] = max(o.last[r.page], r.day)
		}
	}
	for _, c := range s.classes {
		if !c.booked || len(c.rows) < 2 {
			continue
		}
		double := false
		for n, i := range c.rows[1:] {
			before, after := rows[c.rows[n]].page, rows[i].page
			if before == after {
				double = double || !c.one
			} else {
				o.shared[seam{before, after}]++
			}
		}
		if double {
			o.double++
		}
	}
	o.order = orderOf(rows)
	for page := 1; page < n; page++ {
		if len(o.pages[page-1]) > 0 && len(o.pages[page]) > 0 && o.shared[seam{page - 1, page}] == 0 {
			o.clean++
		}
	}
	return o
}

// orderOf returns the order of the days within the pages.
func orderOf(rows []row) int {
	up, down, page, day := false, false, -1, int32(0)
	for i := range rows {
		r := &rows[i]
		if !r.Booked || r.day == 0 {
			continue
		}
		if r.page == page {
			up, down = up || r.day > day, down || r.day < day
		}
		page, day = r.page, r.day
	}
	switch {
	case up && !down:
		return 1
	case down && !up:
		return -1
	}
	return 0
}

// repeats calls drop for each row of the class that repeats one of an earlier page. It
// returns how many rows it keeps that could be repeats.
func (o *overlaps) repeats(c *class, drop func(int)) (indistinct int) {
	most := 0 // on one of the pages so far that overlap
	for from := 0; from < len(c.rows); {
		page := o.rows[c.rows[from]].page
		to := from + 1
		for to < len(c.rows) && o.rows[c.rows[to]].page == page {
			to++
		}
		n, again := to-from, 0
		if from > 0 {
			before := o.rows[c.rows[from-1]].page
			switch o.relation(c, before, page) {
			case repeated:
				again = min(n, most)
			case seamed:
				again = min(n, o.seamOf(page, c))
			case unclear:
				indistinct += min(n, most)
			}
		}
		for _, i := range c.rows[from : from+again] {
			drop(i)
		}
		most = max(most, n)
		from = to
	}
	return indistinct
}

// relation is how equal rows on two pages are related.
type relation int

const (
	different relation = iota
	repeated           // they are the same
	seamed             // those at the seam of the pages are the same
	unclear            // they are different, or the same
)

func (o *overlaps) relation(c *class, before, after int) relation {
	switch {
	case !c.booked, c.id:
		// All pages can have the whole list of pending rows; two pages do not give
		// different payments with the same content the same id.
		return repeated
	case o.shared[seam{before, after}] > 1, o.inside(c.day, before, after):
		return repeated
	case after == before+1 && o.seamOf(after, c) > 0:
		switch {
		case len(o.seamAt(after)) > 1 || !o.doubled(c):
			return seamed
		case o.clean > 0: // the account has such payments, and its pages do not overlap
			return different
		}
	}
	return unclear
}

// doubled reports whether the account has other equal payments of one day, on one page:
// then it can have equal ones on two pages too.
func (o *overlaps) doubled(c *class) bool {
	others := o.double
	for n, i := range c.rows[1:] {
		if o.rows[c.rows[n]].page == o.rows[i].page {
			others--
			break
		}
	}
	return others > 0
}

// inside reports whether two pages overlap because a day is not at the seam between
// them: rows in the order of their days have one day at most on both sides of it.
func (o *overlaps) inside(day int32, before, after int) bool {
	if day == 0 || o.order == 0 {
		return false
	}
	for page := before; page <= after; page++ {
		if o.last[page] == 0 {
			continue
		}
		if (page < after) == (o.order < 0) { // days before the seam are later, if they descend
			if o.first[page] < day {
				return true
			}
		} else if o.last[page] > day {
			return true
		}
	}
	return false
}

// seamAt returns the classes with which the page before ends and the page begins: the
// longest row of them.
func (o *overlaps) seamAt(page int) []int {
	found, known := o.seams[page]
	if !known {
		found = longestSeam(o.pages[page-1], o.pages[page])
		o.seams[page] = found
	}
	return found
}

// seamOf returns how many rows of a class are at the seam before a page.
func (o *overlaps) seamOf(page int, c *class) int {
	n := 0
	for _, class := range o.seamAt(page) {
		if class == c.number {
			n++
		}
	}
	return n
}

// longestSeam returns the longest beginning of b with which a ends (Knuth, Morris and
// Pratt).
func longestSeam(a, b []int) []int {
	if len(a) == 0 || len(b) == 0 {
		return nil
	}
	if len(a) > len(b) {
		a = a[len(a)-len(b):]
	}
	fail := make([]int, len(b)) // of each beginning, the longest shorter one with which it ends
	for i, k := 1, 0; i < len(b); i++ {
		for k > 0 && b[i] != b[k] {
			k = fail[k-1]
		}
		if b[i] == b[k] {
			k++
		}
		fail[i] = k
	}
	k := 0
	for _, class := range a {
		for k > 0 && (k == len(b) || class != b[k]) {
			k = fail[k-1]
		}
		if class == b[k] {
			k++
		}
	}
	return b[:k]
}
