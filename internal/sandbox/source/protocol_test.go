package source_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"samla/internal/sandbox/bankid"
	"samla/internal/sandbox/source"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

// Each row of the table of errors in docs/source-protocol/README.md happens, and no other.
func TestProtocol_AnswersWithEachError(t *testing.T) {
	w := start(t)
	l := w.begin(demo, mock, "200004010000")
	base := l.base
	checks := map[string]func(status int, code string){
		"400 BAD_REQUEST": func(status int, code string) {
			for name, r := range map[string]response{
				"no request id":     w.call("POST", base+"sessions", loginBody(demo, mock, anna), "Request-Id", ""),
				"request id":        w.call("POST", base+"sessions", loginBody(demo, mock, anna), "Request-Id", "1"),
				"no JSON":           w.call("POST", base+"sessions", "{"),
				"wrong type":        w.call("POST", base+"sessions", `{"institution":7}`),
				"too large":         w.call("POST", base+"sessions", `{"institution":"`+strings.Repeat("x", 1<<20)+`"}`),
				"other method":      w.call("POST", base+"sessions", loginBody(demo, "EMAIL", anna)),
				"no number":         w.call("POST", base+"sessions", loginBody(demo, mock, "")),
				"ten digits":        w.call("POST", base+"sessions", loginBody(demo, mock, "9006022397")),
				"no e-mail":         w.call("POST", base+"sessions", `{"institution":"se-sandbox-insurer","loginMethod":"EMAIL","email":"anna"}`),
				"answer of no JSON": w.call("POST", l.path("answers"), "[]"),
				"page of no JSON":   w.call("POST", l.path("pages"), ""),
				"delete without id": w.call("DELETE", base+"sessions/x", "", "Request-Id", "x"),
			} {
				if r.status != status || !strings.Contains(string(r.body), code) {
					t.Errorf("%s: %d %s", name, r.status, r.body)
				}
			}
		},
		"401 UNAUTHORIZED": func(status int, code string) {
			for _, value := range []string{"", "Bearer", "Bearer ", "Bearer x", "Basic " + secret, secret, "Bearer " + secret + "x"} {
				w.call("GET", base+"institutions", "", "Authorization", value).wantError(status, code)
			}
			w.call("GET", base+"institutions", "", "Authorization", "bearer "+secret).want(200)
			w.mux.ServeHTTP(withoutCertificate(w, w.pathOf("se-sandbox-lender")+"institutions", status, code))
		},
		"404 UNKNOWN_INSTITUTION": func(status int, code string) {
			w.call("POST", base+"sessions", loginBody("se-nobody", mock, anna)).wantError(status, code)
			w.call("POST", base+"sessions", loginBody("se-sandbox-lender", "SWEDISH_MOBILE_BANKID_OTHER_DEVICE", anna)).wantError(status, code) // with the other credential
		},
		"404 UNKNOWN_SESSION": func(status int, code string) {
			for _, id := range []string{"x", uuid.NewString()} {
				w.call("GET", base+"sessions/"+id+"/turn", "").wantError(status, code)
				w.call("POST", base+"sessions/"+id+"/answers", `{"question":"q","code":"1"}`).wantError(status, code)
				w.call("POST", base+"sessions/"+id+"/pages", `{"cursor":null}`).wantError(status, code)
				w.call("DELETE", base+"sessions/"+id, "").want(204)
			}
			w.call("GET", w.pathOf("se-sandbox-lender")+"sessions/"+l.id+"/turn", "").wantError(status, code) // with the other credential
			idle := w.begin(demo, mock, anna)
			w.clock.Advance(10 * time.Minute)
			idle.next() // a session lasts ten minutes after the last request, or longer
			w.clock.Advance(15 * time.Minute)
			w.call("GET", idle.path("turn"), "").wantError(status, code)
			l = w.begin(demo, mock, "200004010000")
		},
		"409 QUESTION_OVER": func(status int, code string) {
			l.turn.Question = "q1-1"
			l.reply(`"code":"1"`).wantError(status, code) // none is open
			w.clock.Advance(time.Second)
			first := l.next()
			l.answer(`"code":"000000"`)
			l.turn.Question = first.Question
			l.reply(`"code":"123456"`).wantError(status, code)
			l.turn.Question = ""
			l.reply(`"code":"123456"`).wantError(400, "BAD_REQUEST")
		},
		"409 TURN_NEEDED": func(status int, code string) {
			l.page("").wantError(status, code)
			out := w.begin(demo, mock, "200002010000")
			out.page("").wantError(status, code)
		},
		"429 TOO_MANY": func(status int, code string) {
			full := start(t)
			full.SetLimit(3)
			for range 10 { // those that have ended make room
				l := full.begin(demo, mock, anna)
				full.call("DELETE", strings.TrimSuffix(l.path(""), "/"), "").want(204)
			}
			first := full.begin(demo, mock, anna)
			for range 2 {
				full.begin(demo, mock, anna)
			}
			full.call("POST", base+"sessions", loginBody(demo, mock, anna)).wantError(status, code)
			full.clock.Advance(15 * time.Minute) // nobody uses them any more
			full.begin(demo, mock, anna)
			full.call("GET", first.path("turn"), "").wantError(404, "UNKNOWN_SESSION")
		},
		"503 UNAVAILABLE": func(status int, code string) {
			broken := w.begin(demo, mock, "200005020000")
			w.clock.Advance(time.Second)
			broken.next()
			broken.page("").wantError(status, code)
		},
	}
	_, table, _ := strings.Cut(document(t, "docs/source-protocol/README.md"), "| status | `error` | when |")
	table, _, _ = strings.Cut(table, "\n\n")
	names := regexp.MustCompile("`([A-Z_]+)`")
	done := 0
	for line := range strings.Lines(table) {
		cells := strings.Split(line, "|")
		if len(cells) < 4 || strings.Contains(line, "---") {
			continue
		}
		for _, m := range names.FindAllStringSubmatch(cells[2], -1) {
			status := strings.TrimSpace(cells[1])
			check := checks[status+" "+m[1]]
			if check == nil {
				t.Errorf("no check of %s %s", status, m[1])
				continue
			}
			var n int
			if _, err := fmt.Sscan(status, &n); err != nil {
				t.Fatal(err)
			}
			check(n, m[1])
			done++
		}
	}
	if done != len(checks) {
		t.Errorf("%d checks of %d", done, len(checks))
	}
	w.call("GET", base+"unknown", "").want(404)
	w.call("GET", base+"sessions", "").want(404)
}

func TestInstitutions_AreThoseOfTheDoor(t *testing.T) {
	w := start(t)
	var got []string
	for _, s := range w.Sources() {
		var list struct {
			Protocol     int
			Institutions []source.Institution
		}
		w.call("GET", s.Path+"/v1/institutions", "").want(200).decode(&list)
		i := slices.IndexFunc(list.Institutions, func(i source.Institution) bool { return i.ID == s.ID })
		if list.Protocol != 1 || i < 0 {
			t.Fatalf("%s is not listed", s.ID)
		}
		if c := list.Institutions[i]; c.DisplayName == "" || c.Market != "se" || len(c.LoginMethods) == 0 || len(c.Parameters) != 1 || len(c.Products) == 0 ||
			!slices.Equal(c.DeviceHosts, []string{host}) {
			t.Errorf("%+v", c)
		}
		got = append(got, s.ID)
	}
	if len(got) < 7 || got[0] != demo {
		t.Errorf("%v", got)
	}
}

// A repeated request has no second effect, and gets the first answer.
func TestRequests_AreAnsweredOnce(t *testing.T) {
	w := start(t)
	base, id := w.pathOf("se-sandbox-lender"), uuid.NewString()
	body := loginBody("se-sandbox-lender", "SWEDISH_MOBILE_BANKID_OTHER_DEVICE", anna)
	first := w.call("POST", base+"sessions", body, "Request-Id", id).want(201)
	w.clock.Advance(time.Second)
	if again := w.call("POST", base+"sessions", body, "Request-Id", strings.ToUpper(id)).want(201); !bytes.Equal(again.body, first.body) {
		t.Errorf("%s, then %s", first.body, again.body)
	}
	if n := len(w.bankID.Pending()); n != 1 {
		t.Errorf("%d orders", n)
	}
	var got struct{ Session string }
	first.decode(&got)
	w.call("DELETE", base+"sessions/"+got.Session, "").want(204)
	if n := len(w.bankID.Pending()); n != 0 {
		t.Error("the order of a cancelled login is not cancelled")
	}
	w.clock.Advance(59*time.Minute + 58*time.Second)
	if again := w.call("POST", base+"sessions", body, "Request-Id", id).want(201); !bytes.Equal(again.body, first.body) {
		t.Error("within an hour, a repeated request started another login")
	}

	l := w.begin("se-sandbox-savings", "SWEDISH_SECURITY_TOKEN", anna)
	question, request := l.turn.Question, uuid.NewString()
	wrong := l.reply(`"code":"000000"`, "Request-Id", request).want(200)
	for range 5 {
		if again := l.reply(`"code":"000000"`, "Request-Id", request).want(200); !bytes.Equal(again.body, wrong.body) {
			t.Errorf("%s, then %s", wrong.body, again.body)
		}
	}
	if l.next(); !l.turn.Wrong || *l.turn.AttemptsLeft != 2 || l.turn.Question == question || l.turn.ResponseType != "NUMBER_CODE" {
		t.Errorf("after one wrong code: %+v", l.turn)
	}
}

func TestTurn_KeepsItsIDWhileUnchanged(t *testing.T) {
	w := start(t)
	l := w.begin(demo, mock, "200004010000")
	work := l.turn.ID
	w.clock.Advance(time.Second / 2)
	if l.next().ID != work {
		t.Error("the same turn has another id")
	}
	w.clock.Advance(time.Second / 2)
	asked := l.next().ID
	wrong := l.answer(`"code":"000000"`).ID
	again := l.answer(`"choice":"RESEND"`).ID
	if asked == work || wrong == asked || again == wrong || l.next().ID != again {
		t.Errorf("%s, %s, %s, %s", work, asked, wrong, again)
	}
	// The animated QR code changes each second.
	q := w.begin(demo, mock, "200001060000")
	var texts, ids []string
	for range 3 {
		texts, ids = append(texts, q.turn.QRText), append(ids, q.turn.ID)
		w.clock.Advance(time.Second)
		q.next()
	}
	if len(slices.Compact(slices.Sorted(slices.Values(ids)))) != 3 || !strings.Contains(texts[2], ".2.") || !strings.HasPrefix(texts[0], "bankid.") {
		t.Errorf("%v %v", ids, texts)
	}
	if p := w.begin(demo, mock, "200001040000"); p.turn.QRImage == "" || p.turn.QRText != "" || p.turn.AutoStartToken == "" {
		t.Errorf("%+v", p.turn)
	}
}

// An answer that does not fit the question is refused and changes nothing.
func TestAnswer_MustFitTheQuestion(t *testing.T) {
	w := start(t)
	l := w.begin(demo, mock, "200004030000")
	w.clock.Advance(time.Second)
	l.next()
	for _, members := range []string{`"code":"123456"`, `"choice":"OWL"`, `"choice":"RESEND"`, `"inputs":{}`, `"response":{"body":{}}`, `"choice":"SMS","code":"1"`, `"x":1`} {
		l.reply(members).wantError(400, "BAD_REQUEST")
	}
	l.answer(`"choice":"SMS"`)
	for _, members := range []string{`"choice":"SMS"`, `"inputs":{"EMAIL":"a@example.com"}`} {
		l.reply(members).wantError(400, "BAD_REQUEST")
	}
	for sent := range 2 {
		if l.answer(`"choice":"RESEND"`); l.turn.Wrong || (len(l.turn.Choices) == 1) != (sent == 0) {
			t.Errorf("after %d codes: %+v", sent+2, l.turn)
		}
	}
	l.reply(`"choice":"RESEND"`).wantError(400, "BAD_REQUEST")
	if l.answer(`"code":"345612"`); l.turn.Type != "IN" {
		t.Errorf("%+v", l.turn)
	}

	form := w.begin(demo, mock, "199007011000")
	w.clock.Advance(time.Second)
	form.next()
	for left, inputs := range []string{`{}`, `{"EMAIL":"anna@example.com"}`, `{"EMAIL":"x","MOBILE_PHONE_NUMBER":"070-1740605"}`, `{"EMAIL":"a@example.com","MOBILE_PHONE_NUMBER":"abc"}`} {
		if form.answer(`"inputs":` + inputs); !form.turn.Wrong || *form.turn.AttemptsLeft != 4-left {
			t.Errorf("%s: %+v", inputs, form.turn)
		}
	}
	if form.answer(`"inputs":{"EMAIL":"anna"}`); form.turn.Reason != "CONTACT_REQUIRED" {
		t.Errorf("%+v", form.turn)
	}
}

// A login goes on only if the device made the request as it was asked for.
func TestDevice_ProvesThatItMadeTheRequest(t *testing.T) {
	w := start(t)
	l := w.begin(demo, device, anna)
	if l.turn.Type != "DEVICE" || !strings.HasPrefix(l.turn.Request.URL, "https://"+host+"/") || l.turn.Request.Etag == "" {
		t.Fatalf("%+v", l.turn)
	}
	proof := string(l.callDevice().want(200).body)
	asked := *l.turn.Request
	if c := asked.Cookies[0]; !strings.HasPrefix(host+":", c.Domain+":") || c.Domain == "" {
		t.Errorf("the cookie is for %q, the request for %s", c.Domain, host)
	}
	l.turn.Request.Body = strings.ReplaceAll(asked.Body, ":", " : ") // the same JSON
	l.callDevice().want(200)
	*l.turn.Request = asked
	for name, change := range map[string]func(){
		"body":   func() { l.turn.Request.Body = "{}" },
		"method": func() { l.turn.Request.Method = "GET" },
		"cookie": func() { l.turn.Request.Cookies = nil },
		"header": func() { l.turn.Request.Headers = nil },
	} {
		change()
		if r := l.callDevice(); r.status != 400 || !strings.Contains(string(r.body), "the "+name) {
			t.Errorf("%s: %d %s", name, r.status, r.body)
		}
		*l.turn.Request = asked
	}
	l.turn.Request.URL += "0"
	l.callDevice().want(404)
	if l.answer(`"response":{"headers":{"x-final-url":["x"]},"body":` + proof + `}`); l.turn.Type != "IN" || l.turn.PersonalNumber != anna {
		t.Errorf("%+v", l.turn)
	}
	liar := w.begin(demo, device, anna)
	if liar.answer(`"response":{"headers":{},"body":{"proof":"x"}}`); liar.turn.Reason != "LOGIN_FAILED" {
		t.Errorf("%+v", liar.turn)
	}
}

// The link of an e-mail works on any device, once, and for its time.
func TestInbox_LinkSaysWhenItIsUsedOrLate(t *testing.T) {
	w := start(t)
	l := w.begin("se-sandbox-insurer", "EMAIL", "anna@example.com")
	link := w.links()[0]
	for range 2 { // to look at it changes nothing
		w.call("GET", link, "").want(200)
	}
	if l.next().For != "EMAIL_LINK" || !l.turn.Expires.Equal(w.clock.Now().Add(15*time.Minute)) {
		t.Errorf("%+v", l.turn)
	}
	w.call("POST", link, "", "Sec-Fetch-Site", "cross-site").want(403)
	w.call("POST", link, "", "Accept", "text/html").want(200)
	if l.next().Type != "IN" || l.turn.PersonalNumber != "" {
		t.Errorf("%+v", l.turn)
	}
	if r := w.call("POST", link, "").want(409); !strings.Contains(string(r.body), "used") {
		t.Errorf("%s", r.body)
	}
	if r := w.call("GET", link, "", "Accept", "text/html").want(409); !strings.Contains(string(r.body), "works once") {
		t.Errorf("%s", r.body)
	}
	late := w.begin("se-sandbox-insurer", "EMAIL", "bo@example.com")
	if got := w.links(); len(got) != 1 || got[0] == link {
		t.Fatalf("%v", got)
	}
	link = w.links()[0]
	for range 15 {
		w.clock.Advance(time.Minute)
		late.next()
	}
	if late.turn.Reason != "TIMEOUT" {
		t.Errorf("%+v", late.turn)
	}
	w.call("POST", link, "").want(410)
	cancelled := w.begin("se-sandbox-insurer", "EMAIL", "bo@example.com")
	link = w.links()[0]
	w.call("DELETE", strings.TrimSuffix(cancelled.path(""), "/"), "").want(204)
	w.call("POST", link, "").want(410)
	w.call("POST", link+"0", "").want(404)
	if r := w.call("GET", "/sandbox/inbox", "", "Accept", "text/html").want(200); !strings.Contains(string(r.body), "Nothing waits") {
		t.Errorf("%s", r.body)
	}
}

// Two logins of one person at the same time end as BankID says.
func TestBankID_SecondLoginOfAPersonConflicts(t *testing.T) {
	w := start(t)
	first := w.begin("se-sandbox-lender", "SWEDISH_MOBILE_BANKID_OTHER_DEVICE", anna)
	if first.turn.QRSecret == "" || first.turn.QRStartToken == "" || first.turn.QRStartedAt.IsZero() {
		t.Errorf("%+v", first.turn)
	}
	second := w.begin("se-sandbox-lender", "SWEDISH_MOBILE_BANKID_SAME_DEVICE", anna)
	if second.turn.Reason != "CONFLICT" || first.next().Reason != "CANCELLED" {
		t.Errorf("%+v, %+v", second.turn, first.turn)
	}
	same := w.begin("se-sandbox-lender", "SWEDISH_MOBILE_BANKID_SAME_DEVICE", anna)
	if same.turn.QRSecret != "" || same.turn.AutoStartToken == "" {
		t.Errorf("%+v", same.turn)
	}
	w.phone(bankid.PhoneAction{Action: bankid.Open, AutoStartToken: same.turn.AutoStartToken})
	if before := same.turn; same.next().Message == before.Message || same.turn.ID == before.ID {
		t.Error("nothing shows that the app is open")
	}
}

// While nobody scans the code, the institution shows a new one after 30 seconds, for three
// minutes.
func TestBankID_NewCodesFollow(t *testing.T) {
	w := start(t)
	l := w.begin("se-sandbox-lender", "SWEDISH_MOBILE_BANKID_OTHER_DEVICE", anna)
	for range 5 {
		old := l.turn
		w.clock.Advance(30 * time.Second)
		if l.next(); l.turn.QRSecret == "" || l.turn.QRSecret == old.QRSecret || l.turn.AutoStartToken == old.AutoStartToken || l.turn.ID == old.ID {
			t.Fatalf("%+v, then %+v", old, l.turn)
		}
		w.open()
		if got := l.turn.ID; l.next().ID != got || len(w.bankID.Pending()) != 1 {
			t.Error("a restart changed the order")
		}
	}
	last := l.turn.AutoStartToken
	w.clock.Advance(29 * time.Second)
	w.phone(bankid.PhoneAction{Action: bankid.Open, AutoStartToken: last})
	w.clock.Advance(2 * time.Minute)
	if l.next().For != "BANKID" {
		t.Errorf("%+v", l.turn)
	}
	w.phone(bankid.PhoneAction{Action: bankid.Approve, AutoStartToken: last})
	if l.next().Type != "IN" {
		t.Errorf("%+v", l.turn)
	}

	l = w.begin("se-sandbox-lender", "SWEDISH_MOBILE_BANKID_OTHER_DEVICE", anna)
	for range 6 {
		w.clock.Advance(30 * time.Second)
		l.next()
	}
	if l.turn.Reason != "TIMEOUT" {
		t.Errorf("after three minutes: %+v", l.turn)
	}
}

// What a person has is the same each time, and pages are the same for the same cursor.
func TestPages_AreTheSameEachTime(t *testing.T) {
	w := start(t)
	in := func(who string) *login {
		l := w.begin(demo, mock, who)
		w.clock.Advance(time.Second)
		l.next()
		return l
	}
	l := in("200001020000")
	all, pages, _ := l.read()
	if len(all.Products) != 26 || pages != 6 {
		t.Errorf("%d products on %d pages", len(all.Products), pages)
	}
	first := l.page("").want(200)
	w.clock.Advance(10 * time.Minute)
	if again := l.page("").want(200); !bytes.Equal(first.body, again.body) {
		t.Error("the first page has changed")
	}
	for _, cursor := range []string{"6", "7", "-1", "01", "x", "0"} {
		l.page(cursor).wantError(400, "BAD_REQUEST")
	}
	l.call("POST", l.path("pages"), `{"cursor":""}`).wantError(400, "BAD_REQUEST")
	other, _, _ := in("200001020000").read()
	if diff := cmp.Diff(all, other); diff != "" {
		t.Errorf("another time (-first +second):\n%s", diff)
	}
	types := map[string]int{}
	for _, p := range all.Products {
		types[p["type"].(string)]++
		for _, samlas := range []string{"id", "company", "companyDisplayName"} {
			if _, has := p[samlas]; has {
				t.Errorf("%s has %s", p["type"], samlas)
			}
		}
	}
	for name, n := range types {
		if n != 2 {
			t.Errorf("%d of %s", n, name)
		}
	}
	for who, want := range map[string][]string{
		"199312252399": {"ISK"}, "199501302393": {"CUSTODY_ACCOUNT"}, "198611239883": {"KF"}, "196603233724": {"CUSTODY_ACCOUNT", "ISK", "KF"},
		"198208149297": {"OCCUPATIONAL_PENSION", "OCCUPATIONAL_PENSION"}, "200001010000": nil,
	} {
		var got []string
		read, _, _ := in(who).read()
		for _, p := range read.Products {
			got = append(got, p["type"].(string))
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s has %v, want %v", who, got, want)
		}
	}
	partial, _, _ := in("200002050000").read()
	text, _ := json.Marshal(partial)
	if len(partial.Missing) != 1 || strings.Contains(string(text), "LOAN") || len(partial.Products) == 0 {
		t.Errorf("%v", partial.Missing)
	}
}
