package household_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"runtime"
	"sync"
	"testing"

	v20260401 "samla/internal/api/v20260401"
	"samla/internal/product"
	"samla/internal/sandbox/household"
	"samla/internal/sandbox/persona"
	"samla/internal/wire/wiretest"
)

// Households on many days are valid by the schemas of the API, without members that these
// do not declare, and package product reads and writes them without loss.
func TestHousehold_3_IsValidAndRoundTrips(t *testing.T) {
	count := 10_000
	switch {
	case testing.Short():
		count = 300
	case raceDetector:
		count = 1_000
	}
	version, err := v20260401.Contract()
	if err != nil {
		t.Fatal(err)
	}
	contract, err := wiretest.Load(version)
	if err != nil {
		t.Fatal(err)
	}
	var workers sync.WaitGroup
	for w := range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for n := w; n < count && !t.Failed(); n += runtime.GOMAXPROCS(0) {
				number, on := person(n), today-persona.Day(n*7%4000)
				if n%2 == 0 {
					on = today
				}
				if err := check(contract, number, on, household.Everything); err != nil {
					t.Errorf("%s on %s: %v", number, on, err)
				}
			}
		})
	}
	workers.Wait()
}

func TestContents_AreValidAndRoundTrip(t *testing.T) {
	version, err := v20260401.Contract()
	if err != nil {
		t.Fatal(err)
	}
	contract, err := wiretest.Load(version)
	if err != nil {
		t.Fatal(err)
	}
	for contents := household.Everything; contents <= household.TwoOfEach; contents++ {
		for n := range 20 {
			for _, on := range []persona.Day{-20_000, 0, 10_957, today, 47_846, 100_000} {
				if err := check(contract, person(n), on, contents); err != nil {
					t.Errorf("%s, %d on %s: %v", person(n), contents, on, err)
				}
			}
		}
	}
}

// person returns the n-th of a list of personal numbers, most with a wrong check digit,
// and one in ten a coordination number.
func person(n int) string {
	day := 1 + n*11%28
	if n%10 == 0 {
		day += 60
	}
	return fmt.Sprintf("%04d%02d%02d%04d", 1930+n*13%80, 1+n*5%12, day, n*7919%10_000)
}

func check(contract *wiretest.Contract, number string, on persona.Day, contents household.Contents) error {
	h, err := household.Make(number, on, contents)
	if err != nil {
		return err
	}
	body := []byte{'['}
	for i, p := range h.Products {
		text := p.JSON(household.Head{ID: fmt.Sprintf("id-%d", i), Company: "se-demo", CompanyDisplayName: "Demo"})
		if err := roundTrip(text); err != nil {
			return err
		}
		if err := readStrictly(text, on); err != nil {
			return err
		}
		if i > 0 {
			body = append(body, ',')
		}
		body = append(body, text...)
	}
	if h.PublicPension != nil {
		if err := roundTrip(h.PublicPension.JSON(household.Head{ID: "public", Company: "se-demo", CompanyDisplayName: "Demo"})); err != nil {
			return err
		}
	}
	header := http.Header{"Insurely-Version": {v20260401.Version}, "X-Request-Id": {"r"}, "Content-Type": {"application/json"}, "Etag": {`W/"a"`}}
	return contract.CheckResponse("getWealthData", 200, header, append(body, ']'))
}

// readStrictly reads a product as one of a source, of which nothing may be left out
// (docs/reference/products.md 13). The dates of a household of another century may be.
func readStrictly(text []byte, on persona.Day) error {
	if on < 0 || on > today+20_000 {
		return nil
	}
	p, report := product.FromSource(text)
	if p == nil || len(report.Problems) > 0 {
		return fmt.Errorf("%+v of\n%s", report.Problems, text)
	}
	want, err := product.Read(text)
	if err != nil {
		return err
	}
	if *p.Common() = *want.Common(); !reflect.DeepEqual(p, want) {
		return fmt.Errorf("read otherwise:\n%s", text)
	}
	return nil
}

// roundTrip reads a product and writes it again.
func roundTrip(text []byte) error {
	p, err := product.Read(text)
	if err != nil {
		return err
	}
	if _, other := p.(*product.Other); other {
		return fmt.Errorf("of no known type: %s", text)
	}
	written, err := json.Marshal(p)
	if err != nil {
		return err
	}
	if bytes.Equal(text, written) {
		return nil
	}
	before, err := decode(text) // the order of members carries no meaning
	if err != nil {
		return err
	}
	after, err := decode(written)
	if err != nil {
		return err
	}
	if !reflect.DeepEqual(before, after) {
		return fmt.Errorf("read\n%s\nwritten\n%s", text, written)
	}
	return nil
}

func decode(text []byte) (v any, err error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	err = d.Decode(&v)
	return v, err
}
