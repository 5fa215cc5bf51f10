package api

import (
	"testing"

	"samla/internal/devserver"
	"samla/internal/fault"
	"samla/test/harness"
)

// A collection that was started in one version is read in the other, each in its own form
// (docs/reference/products.md 10). Without the header, the lowest version that has the
// route answers.
func TestVersions_ReadEachOthersCollections(t *testing.T) {
	t.Parallel()
	w := newEnv(t, devserver.Config{})
	w.registerSecrets()
	w.Log.Secret("a personal number", hasTwo)
	_, newer := w.acme.person(t)
	older := newer
	older.Contract = harness.OlderContract(t)
	var begun collectionStatus
	newer.post(t, "/collections", requestBody(demoCompany, mockLogin, bankIDParameter(hasTwo)), &begun)
	begunOlder := begin(t, older, demoCompany, mockLogin, hasTwo)
	for _, id := range []string{begun.ID, begunOlder[len("/wealth/collection/"):]} {
		reaches(t, older, "/wealth/collection/"+id, "COMPLETED")
		type item struct {
			ID, Type            string
			PersonalInformation map[string]any
			Fees                map[string]any
		}
		var inNewer, inOlder []item
		newer.get(t, "/collections/"+id+"/wealth/data", &inNewer)
		a := older.get(t, "/wealth/collection/"+id+"/data", &inOlder)
		if len(inOlder) != len(inNewer) || len(inOlder) < 20 {
			t.Fatalf("%d products, %d in the older form", len(inNewer), len(inOlder))
		}
		fees := 0
		for i, p := range inNewer {
			o := inOlder[i]
			if o.ID != p.ID || o.Type != p.Type || o.PersonalInformation["PERSONAL_NUMBER"] != p.PersonalInformation["personalNumber"] {
				t.Errorf("%+v is %+v in the older form", p, o)
			}
			if (p.Fees == nil) != (o.Fees == nil) || p.Fees != nil && (p.Fees["personalized"] != nil) != (o.Fees["feesCollected"] == true) {
				t.Errorf("fees %v are %v in the older form", p.Fees, o.Fees)
			}
			if o.Fees != nil {
				fees++
			}
		}
		if fees == 0 {
			t.Error("no product has fees")
		}
		if b := older.with("Accept-Encoding", "identity").get(t, "/wealth/collection/"+id+"/data", nil); string(b.Body) != string(a.Body) || b.Header.Get("ETag") != a.Header.Get("ETag") {
			t.Error("the data depends on its encoding")
		}
	}
	// The accounts of a bank are products of the newer version only.
	_, owner, made := w.authorizedConsent(t, w.acme)
	owner.post(t, "/collections", requestBody(demoBank, "", attendedConsent(made.ConsentID)), &begun)
	owner.finalCollection(t, begun.ID)
	owner.Contract = older.Contract
	if a := owner.get(t, "/wealth/collection/"+begun.ID+"/data", nil); string(a.Body) != "[]" {
		t.Errorf("data %s", a.Body)
	}
	p := older.Do(t, "POST", "/wealth/collection", olderBody(demoBank, otherDevice, maja)).WantProblem(t, fault.InvalidParameter)
	if len(p.Errors) != 1 || p.Errors[0].Pointer != "/company" {
		t.Errorf("%+v", p.Errors)
	}
	// Without the header.
	for path, want := range map[string]string{"/companies/availability": "2025-01-01", begunOlder + "/status": "2025-01-01", begunOlder + "/data": "2025-01-01", "/collections": "2026-04-01"} {
		if a := newer.with("Insurely-Version", "").get(t, path, nil); a.Header.Get("Insurely-Version") != want {
			t.Errorf("%s is answered by %q", path, a.Header.Get("Insurely-Version"))
		}
	}
}
