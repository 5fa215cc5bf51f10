package doctor_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"time"

	"samla/internal/company"
	"samla/internal/doctor"
	"samla/internal/institution"
	"samla/internal/store/sqlstore"
)

var now = time.Date(2026, 11, 27, 8, 0, 0, 0, time.UTC)

const day = 24 * time.Hour

// states lists the checks of a report as "name: state".
func states(r doctor.Report) string {
	list := make([]string, len(r))
	for i, c := range r {
		list[i] = c.Name + ": " + string(c.State)
		if (c.State == doctor.Warning || c.State == doctor.Failed) && c.Do == "" {
			list[i] += " without advice"
		}
	}
	return strings.Join(list, ", ")
}

func TestDatabase_SaysWhichReleaseToStart(t *testing.T) {
	for name, c := range map[string]struct {
		i    sqlstore.Inspection
		err  error
		want string
		open bool
	}{
		"none":          {err: fmt.Errorf("x: %w", fs.ErrNotExist), want: "database: warning"},
		"unreadable":    {err: errors.New("refused"), want: "database: failed"},
		"current":       {i: sqlstore.Inspection{Applied: 9, Known: 9, Oldest: 4, Now: now}, want: "database: ok, schema: ok, clock of the database: ok", open: true},
		"empty":         {i: sqlstore.Inspection{Known: 9, Now: now}, want: "database: ok, schema: warning, clock of the database: ok"},
		"older":         {i: sqlstore.Inspection{Applied: 8, Known: 9, Now: now}, want: "database: ok, schema: warning, clock of the database: ok"},
		"newer":         {i: sqlstore.Inspection{Applied: 10, Known: 9, Oldest: 9, Now: now}, want: "database: ok, schema: warning, clock of the database: ok"},
		"much newer":    {i: sqlstore.Inspection{Applied: 12, Known: 9, Oldest: 10, Now: now}, want: "database: failed"},
		"another clock": {i: sqlstore.Inspection{Applied: 9, Known: 9, Now: now.Add(-6 * time.Second)}, want: "database: ok, schema: ok, clock of the database: failed", open: true},
		"room":          {i: sqlstore.Inspection{Applied: 9, Known: 9, Now: now, Free: 1 << 30}, want: "database: ok, schema: ok, clock of the database: ok, disk: ok", open: true},
		"no room":       {i: sqlstore.Inspection{Applied: 9, Known: 9, Now: now, Free: 1<<30 - 1}, want: "database: ok, schema: ok, clock of the database: ok, disk: warning", open: true},
	} {
		var r doctor.Report
		if open := r.Database(c.i, c.err, now, 1<<30); open != c.open || states(r) != c.want {
			t.Errorf("%s: %s, can be opened: %t", name, states(r), open)
		}
	}
}

func set(i institution.Institution) institution.Set {
	i.Company = company.Company{ID: "se-a"}
	return institution.Set{"se-a": i}
}

func TestCertificates_WarnsThirtyDaysAhead(t *testing.T) {
	for left, want := range map[time.Duration]doctor.State{31 * day: doctor.OK, 30 * day: doctor.Warning, time.Second: doctor.Warning, 0: doctor.Failed, -day: doctor.Failed} {
		var r doctor.Report
		r.Certificates(set(institution.Institution{Certificates: []institution.Certificate{{Use: "QWAC", Until: now.Add(left)}}}), now)
		if got := states(r); got != "se-a QWAC: "+string(want) {
			t.Errorf("%v: %s", left, got)
		}
	}
}

func TestReach_JudgesClockAndCertificate(t *testing.T) {
	for name, c := range map[string]struct {
		found institution.Reached
		err   error
		want  doctor.State
	}{
		"well":            {institution.Reached{Now: now, PartnerUntil: now.Add(60 * day)}, nil, doctor.OK},
		"no clock":        {institution.Reached{}, nil, doctor.OK},
		"not reached":     {institution.Reached{}, errors.New("refused"), doctor.Failed},
		"its clock":       {institution.Reached{Now: now.Add(time.Minute)}, nil, doctor.Warning},
		"its certificate": {institution.Reached{Now: now, PartnerUntil: now.Add(day)}, nil, doctor.Warning},
	} {
		var r doctor.Report
		r.Reach(t.Context(), set(institution.Institution{Reach: func(context.Context) (institution.Reached, error) { return c.found, c.err }}), func() time.Time { return now })
		if got := states(r); got != "se-a reached: "+string(c.want) {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestPrint_CountsAndIndents(t *testing.T) {
	var r doctor.Report
	r.Judge("a", "fine", nil, "")
	r.Judge("longer", "", errors.New("one\ntwo"), "mend it")
	r.Skip("b", "as asked")
	var out strings.Builder
	if err := r.Print(&out); err != nil {
		t.Fatal(err)
	}
	want := "ok       a       fine\nfailed   longer  one\n                 two\n                 → mend it\nskipped  b       as asked\n1 ok, 0 warnings, 1 failed, 1 skipped\n"
	if out.String() != want {
		t.Errorf("printed\n%s", out.String())
	}
}
