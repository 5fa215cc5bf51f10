package cli

import (
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"samla/test/process"
)

// demoWork is how much time of processors the demonstration takes at most. How long it lasts
// is also a matter of what else the machine does.
const demoWork = 15 * time.Second

// demoProducts are the types of products that the demonstration prints.
var demoProducts = []string{"PSD2_CHECKING_ACCOUNT", "PSD2_SAVINGS_ACCOUNT", "PSD2_CREDIT_CARD"}

func runDemo(t *testing.T, args ...string) string {
	t.Helper()
	p := process.Start(t, program, append([]string{"demo"}, args...)...)
	status := p.Wait()
	out, log := p.Out.String(), p.Log.String()
	if status != 0 {
		t.Fatalf("exit status %d:\n%s", status, log)
	}
	if took := p.Work(); took > demoWork {
		t.Errorf("it took %v of the processors", took)
	}
	if log != "" {
		t.Errorf("it logged:\n%s", log)
	}
	return out
}

func TestDemo_PrintsProducts(t *testing.T) {
	t.Parallel()
	out := runDemo(t)
	for _, product := range demoProducts {
		row := regexp.MustCompile(`(?m)^` + product + `\s.*?(\d+)\s*$`).FindStringSubmatch(out)
		if row == nil {
			t.Errorf("no row of %s", product)
		} else if n, err := strconv.Atoi(row[1]); err != nil || n == 0 {
			t.Errorf("%s has %s transactions", product, row[1])
		}
	}
}

func TestDemo_PrintsJSONOfAPI(t *testing.T) {
	t.Parallel()
	var products []struct {
		Type         string
		Transactions []json.RawMessage
	}
	if out := runDemo(t, "--json"); json.Unmarshal([]byte(out), &products) != nil {
		t.Fatalf("not a JSON array: %.200q", out)
	}
	found := map[string]int{}
	for _, p := range products {
		found[p.Type] += len(p.Transactions)
	}
	for _, product := range demoProducts {
		if found[product] == 0 {
			t.Errorf("no transactions of %s in %v", product, found)
		}
	}
}

// The banks show different things to sign with: a text or a picture of a QR code, or the
// token of the app alone. Others sign on a page, after a login, or behind a gateway: there
// is one of each family.
func TestDemo_CollectsFromEachBank(t *testing.T) {
	t.Parallel()
	for _, company := range []string{"se-sandbox-autostart", "se-sandbox-static", "se-sandbox-short", "se-demo-redirect", "se-demo-redirect-explicit",
		"se-demo-oauth", "se-demo-prestep", "se-demo-prestep-decoupled", "se-demo-nordea", "se-demo-nordea-redirect",
		"se-demo-obie", "se-demo-obie4", "se-eb-lansforsakringar", "se-sandbox-cosign"} {
		if out := runDemo(t, "--company", company); !strings.Contains(out, "\nPSD2_CHECKING_ACCOUNT ") {
			t.Errorf("%s:\n%s", company, out)
		}
	}
}

func TestDemo_NamesWhatThereIsForAWrongFlag(t *testing.T) {
	t.Parallel()
	for flag, want := range map[string]string{
		"--company=se-none":     "--company is one of se-demo",
		"--login-method=CARDS":  "--login-method is one of SWEDISH_MOBILE_BANKID_OTHER_DEVICE, ",
		"--person=198412099297": "/parameters/1/personalNumber: ",
	} {
		out, log, status := process.Run(t, program, "demo", flag)
		if status != 1 || !strings.Contains(log, want) || strings.Contains(out+log, "198412099297") {
			t.Errorf("%s: exit status %d, printed %s%s, want %q", flag, status, out, log, want)
		}
	}
}
