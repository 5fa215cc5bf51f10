package institution_test

import (
	"context"
	"slices"
	"strconv"
	"testing"

	"samla/internal/company"
	"samla/internal/institution"
)

func TestSet_ListsByCompany(t *testing.T) {
	set := institution.Set{}
	for _, id := range []string{"se-b", "dk-a", "se-a"} {
		set[id] = institution.Institution{Company: company.Company{ID: id}}
	}
	var ids []string
	for _, i := range set.All() {
		ids = append(ids, i.Company.ID)
	}
	if !slices.Equal(ids, []string{"dk-a", "se-a", "se-b"}) {
		t.Errorf("got %v", ids)
	}
	if _, known := set.Find("se-c"); known {
		t.Error("found an institution that is not there")
	}
}

func TestSet_ClosesEachInstitution(t *testing.T) {
	closed := 0
	set := institution.Set{"se-a": {Close: func() { closed++ }}, "se-b": {}, "se-c": {Close: func() { closed++ }}}
	if set.Close(); closed != 2 {
		t.Errorf("closed %d", closed)
	}
}

func TestInstitution_ListsItsCapabilities(t *testing.T) {
	i := institution.Institution{Revoker: struct{ institution.Revoker }{}, Collector: struct{ institution.Collector }{}}
	if got := i.Capabilities(); !slices.Equal(got, []institution.Verb{institution.VerbCollect, institution.VerbRevoke}) {
		t.Errorf("got %v", got)
	}
}

func TestSubject_TravelsInTheContext(t *testing.T) {
	if got := institution.SubjectOf(context.Background()); got != "" {
		t.Errorf("without one: %q", got)
	}
	ctx, cancel := context.WithCancel(institution.WithSubject(t.Context(), "user-1"))
	defer cancel()
	if got := institution.SubjectOf(ctx); got != "user-1" {
		t.Errorf("got %q", got)
	}
}

func TestSet_OffersWhatIsNotRetired(t *testing.T) {
	s := institution.Set{"se-b": {Company: company.Company{ID: "se-b"}}, "se-a": {Company: company.Company{ID: "se-a"}, Retired: true}}
	if got := s.Offered(); len(got) != 1 || got[0].Company.ID != "se-b" || len(s.All()) != 2 {
		t.Errorf("%+v", got)
	}
}

// Readers see either all or nothing of a change, and the set at the start stays as it was.
func TestLive_ShowsAChangeAtOnce(t *testing.T) {
	with := func(id, name string) institution.Institution {
		return institution.Institution{Company: company.Company{ID: id, DisplayName: name}, Retired: name == "retired"}
	}
	first := institution.Set{"se-a": with("se-a", "0"), "se-b": with("se-b", "0")}
	l := institution.NewLive(first)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for n := range 200 {
			name := strconv.Itoa(n)
			l.Put(with("se-a", name), with("se-b", name))
		}
	}()
	for range 200 {
		if all := l.All(); all[0].Company.DisplayName != all[1].Company.DisplayName {
			t.Errorf("half of a change: %+v", all)
		}
	}
	<-done
	l.Put()
	l.Put(with("se-c", "retired"))
	if i, known := l.Find("se-c"); !known || !i.Retired || len(l.Offered()) != 2 || len(l.All()) != 3 || l.Of("se-a").Company.DisplayName != "199" || l.Of("se-d").Company.ID != "" {
		t.Errorf("%+v", l.All())
	}
	if len(first) != 2 || first.Of("se-a").Company.DisplayName != "0" {
		t.Errorf("the set of the start is %+v", first)
	}
}
