package sources

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"samla/internal/apiclient"
	"samla/internal/clock"
	"samla/internal/devserver"
	"samla/internal/sourcetest"
	"samla/test/harness"
)

// start starts a server over SQLite whose only institution is a source, by an entry of the
// institutions file, and returns a client of its API.
func start(t *testing.T, url string) *apiclient.Client {
	t.Helper()
	log := harness.NewLog()
	log.Secret("secret of the source", sourcetest.Secret)
	dir := t.TempDir()
	file := filepath.Join(dir, "sources.json")
	entry, err := json.Marshal(map[string]any{"banks": []map[string]any{{"company": sourcetest.Institution, "displayName": "Example Pension", "family": "source",
		"loginMethods": []string{sourcetest.LoginMethod}, "baseURL": url, "secretFile": "secret", "parameters": []string{"personalNumber"}}}})
	if err == nil {
		err = os.WriteFile(file, entry, 0o600)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "secret"), []byte(sourcetest.Secret+"\n"), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	e, err := devserver.Start(t.Context(), devserver.Config{Dir: dir, Banks: file, Log: log.Logger()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := e.Stop(ctx); err != nil {
			t.Error(err)
		}
		log.Check(t)
	})
	validating := harness.Contract(t).Transport(http.DefaultTransport, func(err error) { t.Errorf("contract violation: %v", err) })
	return &apiclient.Client{Base: e.Server.URL(), APIKey: e.APIKey, HTTP: &http.Client{Transport: validating}}
}

// A program that somebody wrote becomes an institution by an entry: from the login to typed
// products, with a question between.
func TestCollection_ReadsASource(t *testing.T) {
	for name, source := range map[string]func(testing.TB) string{"go": sourcetest.Go, "node": sourcetest.Node} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			client := start(t, source(t))
			user, err := client.CreateUser(ctx, "customer-1")
			if err != nil {
				t.Fatal(err)
			}
			token, err := client.CreateSession(ctx, user.ID)
			if err != nil {
				t.Fatal(err)
			}
			s, err := client.StartLogin(ctx, token, apiclient.Login{Company: sourcetest.Institution, LoginMethod: sourcetest.LoginMethod,
				PersonalNumber: sourcetest.PersonalNumber})
			if err != nil {
				t.Fatal(err)
			}
			seen := answerCodes(ctx, t, client, token, s.ID, "000000", sourcetest.Code)
			if last := seen[len(seen)-1]; last != "COMPLETED" || !slices.Contains(seen, "TWO_FACTOR_PENDING") {
				t.Fatalf("statuses %v", seen)
			}
			data, err := client.Data(ctx, token, s.ID)
			if err != nil {
				t.Fatal(err)
			}
			var products []struct {
				Type, Company, ID, ProductNumber string
				FinancialInformation             struct{ CurrentValue struct{ Amount json.Number } }
				Transactions                     []struct{ Amount struct{ Amount json.Number } }
			}
			if err := json.Unmarshal(data, &products); err != nil || len(products) != 2 {
				t.Fatalf("%v in %s", err, data)
			}
			for _, p := range products {
				if p.ID == "" || p.Company != sourcetest.Institution {
					t.Errorf("product %+v", p)
				}
				switch p.Type {
				case "OCCUPATIONAL_PENSION":
					if p.ProductNumber != "12345678" || p.FinancialInformation.CurrentValue.Amount != "512000.25" {
						t.Errorf("pension %+v", p)
					}
				case "PSD2_SAVINGS_ACCOUNT":
					if len(p.Transactions) != 1 || p.Transactions[0].Amount.Amount != "-250.00" {
						t.Errorf("account %+v in %s", p, data)
					}
				default:
					t.Errorf("a product of type %s", p.Type)
				}
			}
		})
	}
}

// answerCodes polls a collection until it is finished, gives the codes to its questions in
// order, and returns the statuses, each change once.
func answerCodes(ctx context.Context, t *testing.T, client *apiclient.Client, token, id string, codes ...string) (seen []string) {
	t.Helper()
	last := ""
	for {
		s, err := client.PollCollection(ctx, token, id)
		if err != nil {
			t.Fatal(err)
		}
		if len(seen) == 0 || seen[len(seen)-1] != s.Status {
			seen = append(seen, s.Status)
		}
		if s.Finished() {
			return seen
		}
		asked := ""
		if s.Shown.Instruction != nil {
			asked = s.Shown.Instruction.QuestionID
		}
		if s.Status == "TWO_FACTOR_PENDING" && asked != last && len(codes) > 0 {
			last = asked
			if err := client.Supplement(ctx, token, id, apiclient.Supplement{Type: "TWO_FACTOR_CODE", QuestionID: asked, Value: codes[0]}); err != nil {
				t.Fatal(err)
			}
			codes = codes[1:]
		}
		if err := clock.Sleep(ctx, clock.System(), 100*time.Millisecond); err != nil {
			t.Fatalf("statuses %v: %v", seen, err)
		}
	}
}
