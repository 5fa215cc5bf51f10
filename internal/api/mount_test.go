package api_test

import (
	"strings"
	"testing"
	"time"

	"samla/internal/api"
	"samla/internal/wire"
)

// The list and the contracts agree: no operation without an endpoint, no endpoint
// without an operation, and no operation that is open to more callers than the list
// says.
func TestNew_RefusesListsThatDisagreeWithTheContract(t *testing.T) {
	e := newEnv(t)
	for _, tc := range []struct {
		name   string
		change func(list []api.Mount) []api.Mount
		want   string
	}{
		{"nothing", func([]api.Mount) []api.Mount { return nil }, "no version is mounted"},
		{"an operation without endpoint", func(l []api.Mount) []api.Mount { delete(l[0].Versions[0].Endpoints, "getLoan"); return l },
			"version 2026-02-02 has no endpoint of getLoan (GET /loans/{id})"},
		{"an endpoint without operation", func(l []api.Mount) []api.Mount {
			l[0].Versions[0].Endpoints["endLoan"] = answers("")
			return l
		}, "version 2026-02-02 has no operation endLoan"},
		{"a common operation in a version", func(l []api.Mount) []api.Mount {
			l[0].Versions[0].Endpoints["getHours"] = answers("")
			return l
		}, "version 2026-02-02 has no operation getHours"},
		{"no row of a common operation", func(l []api.Mount) []api.Mount { return l[:1] }, "no row has getHours (GET /hours)"},
		{"a common endpoint without operation", func(l []api.Mount) []api.Mount {
			l[1].Endpoints["getDays"] = answers("")
			return l
		}, "getDays is no operation outside the versions"},
		{"a common operation in two rows", func(l []api.Mount) []api.Mount { return append(l, l[1]) }, "in two rows"},
		{"an operation of a version in another row", func(l []api.Mount) []api.Mount {
			return append(l, api.Mount{Path: "/loans/{id}", Callers: wire.APIKey, Write: time.Minute, Endpoints: api.Endpoints{"getLoan": answers("")}})
		}, "getLoan is no operation outside the versions"},
		{"a wrong path", func(l []api.Mount) []api.Mount { l[1].Path = "/hour"; return l }, "getHours has another path or other credentials than its row /hour"},
		{"wrong credentials", func(l []api.Mount) []api.Mount { l[1].Callers = wire.APIKey; return l }, "getHours has another path or other credentials"},
		{"credentials that the row does not list", func(l []api.Mount) []api.Mount { l[0].Callers = wire.APIKey; return l }, "accepts other credentials than its row"},
		{"versions below a path", func(l []api.Mount) []api.Mount { l[0].Path = "/v1/"; return l }, "versions are mounted in one row"},
		{"versions in two rows", func(l []api.Mount) []api.Mount { return append(l, l[0]) }, "versions are mounted in one row"},
		{"a row without time-out", func(l []api.Mount) []api.Mount { l[1].Write = 0; return l }, "row /hours has no time-out"},
		{"a version twice", func(l []api.Mount) []api.Mount { l[0].Versions = append(l[0].Versions, newer(t)); return l }, "version 2026-02-02 is mounted twice"},
	} {
		_, err := api.New(e.config, tc.change(mounts(newer(t))))
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: want %q, got %v", tc.name, tc.want, err)
		}
	}
}

// An operation that needs no credential is visible as a row of its own.
func TestNew_RefusesOpenOperationsOfVersions(t *testing.T) {
	e := newEnv(t)
	v := newer(t)
	open, err := wire.Load([]byte(strings.Replace(string(v.Contract.Text()), `"security": [{ "apiKey": [] }]`, `"security": []`, 1)))
	if err != nil {
		t.Fatal(err)
	}
	v.Contract = open
	if _, err := api.New(e.config, mounts(v)); err == nil || !strings.Contains(err.Error(), "getLoan accepts other credentials") {
		t.Error(err)
	}
}
