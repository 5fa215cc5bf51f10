package availability_test

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"samla/internal/availability"
)

func TestPublish_SaysNothingOfFewerThanFivePersons(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n := func(label string, most int64) int64 { return rapid.Int64Range(0, most).Draw(rt, label) }
		h := availability.Hour{Persons: n("persons", 40)}
		bank := n("bank", h.Persons)
		samla := n("samla", h.Persons-bank)
		h.Failed = map[availability.Cause]int64{availability.ByInstitution: bank, availability.BySamla: samla}
		h.Latency[3] = 10
		p := h.Publish()
		if few := h.Persons < availability.LeastPersons; few != (p.Availability == nil) || few != (p.P50 == nil) || few != (p.P99 == nil) {
			rt.Fatalf("%d persons: %+v", h.Persons, p)
		}
		for cause, failed := range map[availability.Cause]int64{availability.ByInstitution: bank, availability.BySamla: samla} {
			hidden := h.Persons < availability.LeastPersons || (failed > 0 && failed < availability.LeastPersons)
			if share, told := p.Errors[cause]; !told || hidden != (share == nil) {
				rt.Fatalf("%d of %d failed: %v", failed, h.Persons, p.Errors)
			}
		}
		if p.Availability != nil {
			if exact := float64(h.Persons-bank-samla) / float64(h.Persons); math.Abs(exact-*p.Availability) > 0.00501 {
				rt.Fatalf("%v instead of %v", *p.Availability, exact)
			}
		}
	})
}

// A quantile is never less than the exact one, and at most a bucket more.
func TestQuantile_IsExactToABucket(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var h availability.Histogram
		durations := rapid.SliceOfN(rapid.Int64Range(int64(time.Millisecond), int64(80*time.Second)), 1, 50).Draw(rt, "durations")
		for _, d := range durations {
			h[availability.BucketOf(time.Duration(d))]++
		}
		q := rapid.Float64Range(0.01, 1).Draw(rt, "q")
		got := h.Quantile(q)
		below, within := 0, 0
		for _, d := range durations {
			if time.Duration(d) <= *got {
				within++
			}
			if time.Duration(d) <= *got*65/100 {
				below++
			}
		}
		need := int(math.Ceil(q * float64(len(durations))))
		if within < need || (below >= need && *got > 6*time.Millisecond) {
			rt.Fatalf("quantile %v of %v: %v", q, durations, *got)
		}
	})
	if (availability.Histogram{}).Quantile(0.5) != nil {
		t.Error("nothing has a quantile")
	}
}

func FuzzParseHistogram(f *testing.F) {
	for _, text := range []string{"", "0:1", "3:10,4:22", "31:9", "32:1", "1:0", "1:-1", "1:1,1:1", "x", ",", "1:1,"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		h, ok := availability.ParseHistogram(text)
		if !ok {
			return
		}
		if again, ok := availability.ParseHistogram(h.String()); !ok || again != h {
			t.Errorf("%q became %q", text, h.String())
		}
	})
}

// Five visits of one person in five hours are not five persons, and five failures in five
// hours are not those of five persons.
func TestPublishSum_CountsNoPersonTwiceTowardsTheThreshold(t *testing.T) {
	alone := availability.Hour{Persons: 1, Failed: map[availability.Cause]int64{availability.ByInstitution: 1}}
	if p := availability.PublishSum([]availability.Hour{alone, alone, alone, alone, alone, alone}); p.Availability != nil || p.Errors[availability.ByInstitution] != nil {
		t.Errorf("one person: %+v", p)
	}
	crowd := availability.Hour{Persons: 10, Failed: map[availability.Cause]int64{availability.ByInstitution: 1}}
	crowd.Latency[1] = 7
	p := availability.PublishSum([]availability.Hour{crowd, crowd, alone, crowd, crowd, crowd})
	if p.Availability == nil || *p.Availability != 0.9 || p.Errors[availability.ByInstitution] != nil || *p.Errors[availability.BySamla] != 0 {
		t.Errorf("somebody each hour: %+v", p)
	}
	if p.P50 == nil || *p.P50 > 8*time.Millisecond {
		t.Errorf("half of the calls took %v", p.P50)
	}
	crowd.Failed[availability.ByInstitution] = 5
	if p := availability.PublishSum([]availability.Hour{crowd, crowd}); p.Errors[availability.ByInstitution] == nil || *p.Errors[availability.ByInstitution] != 0.5 {
		t.Errorf("five at once: %+v", p)
	}
}
