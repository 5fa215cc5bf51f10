// Package generators reads the served OpenAPI document with the tools that people use: it
// lints it, generates clients, compiles them, and runs the main flow with them against a
// server and the sandbox's banks, to the last öre.
//
// The programs that use the clients are in go and ts; what is generated is not kept in
// the repository.
package generators

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	v20260401 "samla/internal/api/v20260401"
	"samla/internal/clock"
	"samla/internal/devserver"
	"samla/internal/wire/wiretest"
	"samla/test/harness"
)

var suite = &harness.Suite{Parallel: 2, Now: clock.System().Now}

func TestMain(m *testing.M) { os.Exit(suite.Main(m)) }

// The bank, and persons of the sandbox who share no BankID order (docs/sandbox.md).
const (
	company  = "se-demo-psd2"
	maja     = "198412099296"
	alva     = "200002292399"
	birgitta = "196603233724"
)

func TestDocument_WorksInTools(t *testing.T) {
	if testing.Short() {
		t.Skip("runs many compilers")
	}
	w := suite.Start(t, devserver.Config{})
	dir := newWorkspace(t, w.NoCredential().Do(t, http.MethodGet, "/openapi.json", nil).Body)

	older := w.NoCredential()
	older.Contract = w.Older
	writeOlder(t, dir, older.Do(t, http.MethodGet, "/openapi.json", nil).Body)

	sent, products := everyProduct(t, dir)

	t.Run("redocly", func(t *testing.T) {
		t.Parallel()
		c := node(t, dir)
		redocly(t, c, "../openapi.json")
		redocly(t, c, "../older.json")
	})
	t.Run("spectral", func(t *testing.T) {
		t.Parallel()
		node(t, dir).run(t, "spectral", "lint", "--fail-severity", "hint", "--ruleset", "spectral.yaml", "../openapi.json", "../older.json")
	})
	t.Run("typescript", func(t *testing.T) {
		t.Parallel()
		c := node(t, dir)
		c.run(t, "openapi-ts")
		c.run(t, "openapi-typescript", "../openapi.json", "--output", "gen/openapi-typescript.ts")
		c.run(t, "openapi-typescript", "../older.json", "--output", "gen/older.ts")
		c.run(t, "orval", "--config", "orval.config.mjs")
		c.run(t, "openapi-zod-client", "../openapi.json", "--output", "gen/openapi-zod-client.ts")
		c.run(t, "tsc", "--project", ".")
		checkFlow(t, w, maja, c, "node", "flow.ts")
		var read map[string]json.RawMessage
		output := c.run(t, "node", "products.ts", products)
		if err := json.Unmarshal([]byte(output), &read); err != nil || len(read) != 2 {
			t.Fatalf("%v in %s", err, output)
		}
		for schemas, text := range read {
			checkProducts(t, schemas, sent, text)
		}
	})
	t.Run("go", func(t *testing.T) {
		t.Parallel()
		c := command{dir: filepath.Join(dir, "go"), env: []string{"CGO_ENABLED=0"}} // as all that is built without the race detector
		if _, output, err := c.try(t, "go", "mod", "download"); err != nil {
			skipIfLacking(t, output)
			t.Fatal(output)
		}
		for _, folder := range []string{"oapi", "olderoapi"} {
			if err := os.MkdirAll(filepath.Join(c.dir, folder), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		c.run(t, "go", "tool", "oapi-codegen", "-config", "oapi.yaml", "../openapi.json")
		c.run(t, "go", "tool", "ogen", "--config", "ogen.yaml", "--target", "ogenapi", "--package", "ogenapi", "--clean", "../openapi.json")
		c.run(t, "go", "build", "-o", "bin/", "./cmd/...")
		c.run(t, "go", "tool", "oapi-codegen", "-config", "older.yaml", "../older.json")
		c.run(t, "go", "tool", "ogen", "--config", "ogen.yaml", "--target", "olderogen", "--package", "olderogen", "--clean", "../older.json")
		c.run(t, "go", "build", "./olderoapi", "./olderogen")
		for _, name := range []string{"bin/oapi", "bin/ogen"} {
			checkProducts(t, name, sent, []byte(c.run(t, filepath.Join(c.dir, name), products)))
		}
		checkFlow(t, w, alva, c, "bin/oapi")
		checkFlow(t, w, birgitta, c, "bin/ogen")
	})
}

// redocly checks that Redocly finds nothing. Its exit status says nothing of warnings.
func redocly(t *testing.T, c command, document string) {
	t.Helper()
	output := c.run(t, "redocly", "lint", "--config", "redocly.yaml", "--format", "json", document)
	var found struct {
		Totals   *struct{ Errors, Warnings int }
		Problems []struct{ RuleID, Message string }
	}
	if err := json.Unmarshal([]byte(output), &found); err != nil || found.Totals == nil {
		t.Fatalf("%v\n%s", err, output)
	}
	if found.Totals.Errors+found.Totals.Warnings > 0 {
		t.Errorf("%+v", found.Problems)
	}
}

// writeOlder puts the document of version 2025-01-01 beside that of the newest version. Its
// clients are generated and compiled.
func writeOlder(t *testing.T, dir string, document []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "older.json"), document, 0o644); err != nil {
		t.Fatal(err)
	}
}

// checkFlow runs a program that makes the main flow as a user, and compares each amount
// that it read with the bytes that the server sends.
func checkFlow(t *testing.T, w *harness.Env, person string, c command, name string, args ...string) {
	t.Helper()
	ca := filepath.Join(c.dir, "sandbox-ca.pem")
	if err := os.WriteFile(ca, w.Sandbox.CAPEM(), 0o644); err != nil {
		t.Fatal(err)
	}
	c.env = append(c.env, "SAMLA_API="+w.Server.URL(), "SAMLA_KEY="+w.APIKey, "SAMLA_SANDBOX="+w.Sandbox.URL(), "SAMLA_CA="+ca,
		"NODE_EXTRA_CA_CERTS="+ca, "SAMLA_COMPANY="+company, "SAMLA_PERSON="+person, "SAMLA_USER="+harness.UniqueID(t))
	if filepath.Dir(name) != "." {
		name = filepath.Join(c.dir, name)
	}
	var read struct {
		CollectionID string
		Amounts      []string
	}
	if output := c.run(t, name, args...); json.Unmarshal([]byte(output), &read) != nil {
		t.Fatal(output)
	}
	sent := amounts(t, w.WithKey(w.APIKey).Do(t, http.MethodGet, "/collections/"+read.CollectionID+"/wealth/data", nil).Body)
	slices.Sort(sent)
	slices.Sort(read.Amounts)
	if len(sent) < 100 || !slices.Equal(sent, read.Amounts) {
		t.Errorf("%s: %d amounts were sent, %d read", name, len(sent), len(read.Amounts))
	}
}

// everyProduct writes products with every member of every type, every branch of each
// union and every value of each enum, and returns them and the file's name.
func everyProduct(t *testing.T, dir string) (text []byte, file string) {
	t.Helper()
	version, err := v20260401.Contract()
	if err != nil {
		t.Fatal(err)
	}
	c, err := wiretest.Load(version)
	if err != nil {
		t.Fatal(err)
	}
	if text, err = json.Marshal(c.Samples("FinancialProduct")); err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(dir, "products.json")
	if err := os.WriteFile(file, text, 0o644); err != nil {
		t.Fatal(err)
	}
	return text, file
}

// fraction is that of a date-time. The client of ogen reads it, but writes none.
var fraction = regexp.MustCompile(`(:[0-9]{2})\.[0-9]+Z"`)

// checkProducts compares what a client has read with what was sent.
func checkProducts(t *testing.T, client string, sent, read []byte) {
	t.Helper()
	var want, got []any
	for text, into := range map[string]*[]any{string(sent): &want, string(read): &got} {
		if err := json.Unmarshal(fraction.ReplaceAll([]byte(text), []byte(`${1}Z"`)), into); err != nil {
			t.Fatal(err)
		}
	}
	if len(want) < 100 || len(got) != len(want) {
		t.Fatalf("%s: %d products sent, %d read", client, len(want), len(got))
	}
	for i := range want {
		if diff := cmp.Diff(want[i], got[i]); diff != "" {
			t.Errorf("%s: sent (-) and read (+) differ:\n%s", client, diff)
		}
	}
}

// amounts returns each amount of the data, exact, in the form that the programs print.
func amounts(t *testing.T, data []byte) []string {
	t.Helper()
	type money struct {
		Amount   json.Number
		Currency string
	}
	var products []struct {
		AccountID                       string
		BookedBalance, AvailableBalance *money
		Transactions                    []struct {
			AccountID, TransactionID string
			Amount                   *money
		}
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	if err := decoder.Decode(&products); err != nil {
		t.Fatal(err)
	}
	var all []string
	add := func(account, what string, m *money) {
		if m == nil {
			return
		}
		exact, ok := new(big.Rat).SetString(m.Amount.String())
		if !ok || !new(big.Rat).Mul(exact, big.NewRat(100, 1)).IsInt() {
			t.Fatalf("an amount of %q", m.Amount)
		}
		all = append(all, fmt.Sprintf("%s %s %s %s", account, what, exact.FloatString(2), m.Currency))
	}
	for _, p := range products {
		add(p.AccountID, "booked", p.BookedBalance)
		add(p.AccountID, "available", p.AvailableBalance)
		for _, row := range p.Transactions {
			add(row.AccountID, row.TransactionID, row.Amount)
		}
	}
	return all
}
