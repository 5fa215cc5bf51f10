package api

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"samla/internal/devserver"
	"samla/internal/fault"
)

// linkObject is a ConnectLink.
type linkObject struct {
	ConnectLinkID, UserUUID, Status, URL string
	CreatedAt, ExpiresAt, OpenedAt       time.Time
	Flow                                 *struct{ State, Company string }
}

func linkBody(userUUID string) object {
	return object{"userUuid": userUUID, "purpose": "show your accounts", "validDays": 90.0, "language": "sv", "linkSeconds": 60,
		"person": object{"personalNumber": gun}}
}

// A client makes a link and sees how it stands. Others see nothing of it.
func TestConnectLinks_AreOfTheirClient(t *testing.T) {
	onStores(t, func(t *testing.T, w *env) {
		user, _ := w.acme.person(t)
		var made, seen linkObject
		w.acme.Do(t, "POST", "/connect-links", linkBody(user.UserUUID)).WantStatus(t, http.StatusCreated, &made)
		if made.Status != "OPEN" || made.UserUUID != user.UserUUID || made.ExpiresAt.Sub(made.CreatedAt) != time.Minute || !strings.Contains(made.URL, "/c/open/") {
			t.Errorf("%+v", made)
		}
		path := "/connect-links/" + made.ConnectLinkID
		w.acme.get(t, path, &seen)
		if seen.Status != "OPEN" || seen.URL != "" || seen.Flow != nil || seen.ConnectLinkID != made.ConnectLinkID {
			t.Errorf("%+v", seen)
		}
		w.other.Do(t, "GET", path, nil).WantProblem(t, fault.ConnectLinkNotFound)
		w.other.Do(t, "POST", "/connect-links", linkBody(user.UserUUID)).WantProblem(t, fault.UserNotFound)
		w.acme.delete(t, "/users/"+user.UserUUID).WantStatus(t, http.StatusNoContent, nil)
		w.acme.Do(t, "GET", path, nil).WantProblem(t, fault.ConnectLinkNotFound)
		w.acme.Do(t, "POST", "/connect-links", linkBody(user.UserUUID)).WantProblem(t, fault.UserAnonymized)
	})
}

// What is wrong with a request is said at its place.
func TestConnectLinks_RefuseWhatIsWrong(t *testing.T) {
	w := newEnv(t, devserver.Config{})
	user, _ := w.acme.person(t)
	for name, c := range map[string]struct{ member, value any }{
		"purpose": {"purpose", ""}, "long purpose": {"purpose", strings.Repeat("x", 81)}, "companies": {"companies", []string{}}, "company": {"companies", []string{"se-nobody"}},
		"product": {"products", []string{"HOUSES"}}, "days": {"validDays", 181}, "no days": {"validDays", 0}, "part of a day": {"validDays", 1.5}, "seconds": {"linkSeconds", 59},
		"language": {"language", "xx"}, "return": {"returnUrl", "https://evil.example/"}, "origin": {"origin", "https://evil.example"},
		"number": {"person", object{"personalNumber": "1"}}, "a text": {"collect", "yes"},
	} {
		body := linkBody(user.UserUUID)
		body[c.member.(string)] = c.value
		if p := w.acme.Do(t, "POST", "/connect-links", body).WantProblem(t, fault.InvalidParameter); len(p.Errors) != 1 || !strings.HasPrefix(p.Errors[0].Pointer, "/"+c.member.(string)) {
			t.Errorf("%s: %+v", name, p.Errors)
		}
	}
}

// rowConnect gets the answers about the connect page.
func rowConnect(t *testing.T, w *walk, database func(*testing.T) string) {
	w = w.start(t, devserver.Config{Database: database(t)})
	user, _ := w.person(t)
	var made linkObject
	w.acme.Do(t, "POST", "/connect-links", linkBody(user.UserUUID)).WantStatus(t, http.StatusCreated, &made)
	w.acme.Do(t, "GET", "/connect-links/"+made.ConnectLinkID, nil).WantStatus(t, http.StatusOK, nil)
	w.acme.Do(t, "GET", "/connect-links/"+unknownID, nil).WantProblem(t, fault.ConnectLinkNotFound)
	w.acme.Do(t, "POST", "/connect-links", linkBody(unknownID)).WantProblem(t, fault.UserNotFound)
	w.acme.delete(t, "/users/"+user.UserUUID).WantStatus(t, http.StatusNoContent, nil)
	w.acme.Do(t, "POST", "/connect-links", linkBody(user.UserUUID)).WantProblem(t, fault.UserAnonymized)
}
