package api

import (
	"net/http"
	"testing"
	"time"

	"samla/internal/devserver"
	"samla/internal/fault"
)

// accessObject is what these tests read of ConsentAccess.
type accessObject struct {
	ConsentID, Company, Status string
	ExpiresAt, ScaExpiresAt    time.Time
	DaysLeft                   int
	Unattended                 struct {
		CountedPer        string
		Limit, Used, Left int
		NextAllowedAt     time.Time
	}
	LastRead *struct {
		CollectionID, Status, Attribution string
		Attended                          bool
	}
	Data []struct {
		Kind   string
		ReadAt *time.Time
		Stale  bool
	}
	Queued *struct {
		CollectionID string
		StartsAt     time.Time
	}
	Plan *planPart
}

type planPart struct {
	ConsentID, Company, State, Reason string
	TimesPerDay                       int
	NextTry                           time.Time
}

type planObject struct {
	UserUUID    string `json:"userUuid"`
	TimesPerDay int
	Consents    []string
	Parts       []planPart
}

type queuedStatus struct {
	collectionStatus
	StartsAt time.Time
}

// whenAllowed is a request for a collection at the next allowed moment.
func whenAllowed(consentID string) object {
	body := requestBody(demoBank, "", storedConsent(consentID))
	body["refresh"] = "WHEN_ALLOWED"
	return body
}

func TestAccess_TellsWhatIsLeft(t *testing.T) {
	onStores(t, func(t *testing.T, w *env) {
		_, session, made := w.authorizedConsent(t, w.acme)
		path := "/consents/" + made.ConsentID + "/access"
		var a accessObject
		session.get(t, path, &a)
		if a.ConsentID != made.ConsentID || a.Status != "AUTHORIZED" || a.DaysLeft < 1 || a.Unattended.Left != 4 || a.Unattended.CountedPer != "CONSENT" ||
			a.LastRead != nil || len(a.Data) != 2 || !a.Data[0].Stale || a.Queued != nil || a.Plan != nil || a.ScaExpiresAt.IsZero() {
			t.Errorf("%+v", a)
		}
		for n := range 4 {
			var begun queuedStatus
			w.acme.post(t, "/collections", whenAllowed(made.ConsentID), &begun)
			if !begun.StartsAt.IsZero() || w.acme.finalCollection(t, begun.ID).Status != "COMPLETED" {
				t.Fatalf("read %d waits until %s", n, begun.StartsAt)
			}
			a = accessObject{}
			session.get(t, path, &a)
			if a.Unattended.Used != n+1 || a.Unattended.Left != 3-n || a.LastRead == nil || a.LastRead.CollectionID != begun.ID || a.LastRead.Attended ||
				a.LastRead.Status != "COMPLETED" || a.LastRead.Attribution != "" || a.Data[1].Stale || a.Data[1].ReadAt == nil {
				t.Errorf("after read %d: %+v", n, a)
			}
		}
		var first, second queuedStatus
		session.post(t, "/collections", whenAllowed(made.ConsentID), &first)
		w.acme.post(t, "/collections", whenAllowed(made.ConsentID), &second)
		if first.ID != second.ID || first.Status != "RUNNING" || time.Until(first.StartsAt) < 23*time.Hour || *first.PollingInterval != 60000 || !first.PollingTimeout.IsZero() {
			t.Errorf("queued %+v and %+v", first, second)
		}
		a = accessObject{}
		session.get(t, path, &a)
		if a.Queued == nil || a.Queued.CollectionID != first.ID || !a.Queued.StartsAt.Equal(first.StartsAt) || !a.Unattended.NextAllowedAt.Equal(first.StartsAt) || a.Unattended.Used != 4 {
			t.Errorf("while one waits: %+v", a)
		}
		var polled queuedStatus
		session.get(t, "/collections/"+first.ID+"/status", &polled)
		if !polled.StartsAt.Equal(first.StartsAt) || polled.Status != "RUNNING" {
			t.Errorf("polled %+v", polled)
		}
		_, another := w.acme.person(t)
		another.Do(t, "GET", path, nil).WantProblem(t, fault.ConsentNotFound)
		session.Do(t, "GET", "/consents/nonsense/access", nil).WantProblem(t, fault.ConsentNotFound)
		// The queued collection ends with its consent.
		session.delete(t, "/consents/"+made.ConsentID).WantStatus(t, http.StatusOK, nil)
		if done := session.finalCollection(t, first.ID); done.Status != "AUTHENTICATION_ERROR" {
			t.Errorf("after the revocation %+v", done)
		}
		session.get(t, path, &a)
		if a.Status != "REVOKED" || a.DaysLeft != 0 {
			t.Errorf("after the revocation %+v", a)
		}
	})
}

func TestWhenAllowed_NeedsAStoredConsentWithoutThePerson(t *testing.T) {
	onStores(t, func(t *testing.T, w *env) {
		_, session, made := w.authorizedConsent(t, w.acme)
		for name, body := range map[string]object{
			"the person is there": requestBody(demoBank, "", attendedConsent(made.ConsentID)),
			"one-time":            requestBody(demoBank, sameDevice, scopeParameter(), bankIDParameter(gun)),
			"a filter":            requestBody(demoBank, "", storedConsent(made.ConsentID), object{"type": "FILTER", "accountIds": []string{"a"}}),
		} {
			body["refresh"] = "WHEN_ALLOWED"
			p := session.Do(t, "POST", "/collections", body).WantProblem(t, fault.InvalidParameter)
			if len(p.Errors) != 1 || p.Errors[0].Pointer != "/refresh" || p.Errors[0].Code != fault.NotAllowed {
				t.Errorf("%s: %+v", name, p.Errors)
			}
		}
		body := whenAllowed(made.ConsentID)
		body["refresh"] = "SOON"
		session.Do(t, "POST", "/collections", body).WantProblem(t, fault.InvalidParameter)
		body["refresh"] = nil
		session.post(t, "/collections", body, nil)
	})
}

func TestRefreshPlan_CoversTheConsentsOfAUser(t *testing.T) {
	onStores(t, func(t *testing.T, w *env) {
		user, session, made := w.authorizedConsent(t, w.acme)
		path := "/users/" + user.UserUUID + "/refresh-plan"
		w.acme.Do(t, "GET", path, nil).WantProblem(t, fault.RefreshPlanNotFound)
		w.acme.delete(t, path).WantStatus(t, http.StatusNoContent, nil)
		var p planObject
		w.acme.Do(t, "PUT", path, object{"timesPerDay": 2}).WantStatus(t, http.StatusOK, &p)
		if p.TimesPerDay != 2 || p.Consents != nil || len(p.Parts) != 1 || p.Parts[0].ConsentID != made.ConsentID || p.Parts[0].State != "ACTIVE" ||
			time.Until(p.Parts[0].NextTry) > 12*time.Hour || p.UserUUID != user.UserUUID {
			t.Errorf("%+v", p)
		}
		var a accessObject
		session.get(t, "/consents/"+made.ConsentID+"/access", &a)
		if a.Plan == nil || a.Plan.TimesPerDay != 2 || a.Plan.State != "ACTIVE" {
			t.Errorf("%+v", a.Plan)
		}
		p = planObject{}
		w.acme.Do(t, "PUT", path, object{"timesPerDay": 1, "consents": []string{made.ConsentID}}).WantStatus(t, http.StatusOK, &p)
		if len(p.Consents) != 1 || p.Consents[0] != made.ConsentID || len(p.Parts) != 1 || p.Parts[0].TimesPerDay != 1 {
			t.Errorf("%+v", p)
		}
		for name, body := range map[string]object{
			"too often": {"timesPerDay": 5}, "never": {"timesPerDay": 0}, "half": {"timesPerDay": 1.5}, "nothing": {}, "a text": {"timesPerDay": "1"},
			"no consents": {"timesPerDay": 1, "consents": []string{}}, "an unknown consent": {"timesPerDay": 1, "consents": []string{unknownID}},
			"no id": {"timesPerDay": 1, "consents": []string{"nonsense"}},
		} {
			if p := w.acme.Do(t, "PUT", path, body).WantProblem(t, fault.InvalidParameter); len(p.Errors) == 0 {
				t.Errorf("%s: %+v", name, p)
			}
		}
		w.other.Do(t, "PUT", path, object{"timesPerDay": 1}).WantProblem(t, fault.UserNotFound)
		w.other.Do(t, "GET", path, nil).WantProblem(t, fault.UserNotFound)
		w.other.delete(t, path).WantProblem(t, fault.UserNotFound)

		// The consent ends: the plan says so, and an event tells.
		session.delete(t, "/consents/"+made.ConsentID).WantStatus(t, http.StatusOK, nil)
		waiting := poll(t, w.acme, path, func(p planObject) bool { return len(p.Parts) == 1 && p.Parts[0].State == "WAITING_FOR_CONSENT" })
		if waiting.Parts[0].Reason != "CONSENT_ENDED" || waiting.Parts[0].NextTry.IsZero() {
			t.Errorf("%+v", waiting)
		}
		poll(t, w.acme, "/events?type=REFRESH_PLAN_CHANGED", func(page struct {
			Events []struct{ Body struct{ State string } }
		}) bool {
			return len(page.Events) > 0
		})
		w.acme.delete(t, path).WantStatus(t, http.StatusNoContent, nil)
		w.acme.Do(t, "GET", path, nil).WantProblem(t, fault.RefreshPlanNotFound)
		w.acme.Do(t, "PUT", path, object{"timesPerDay": 4}).WantStatus(t, http.StatusOK, nil)
		w.acme.delete(t, "/users/"+user.UserUUID).WantStatus(t, http.StatusNoContent, nil)
		w.acme.Do(t, "PUT", path, object{"timesPerDay": 4}).WantProblem(t, fault.UserAnonymized)
		w.acme.Do(t, "GET", path, nil).WantProblem(t, fault.RefreshPlanNotFound)
	})
}

// A plan for all consents covers one that follows.
func TestRefreshPlan_CoversConsentsThatFollow(t *testing.T) {
	onStores(t, func(t *testing.T, w *env) {
		user, session := w.acme.person(t)
		path := "/users/" + user.UserUUID + "/refresh-plan"
		var p planObject
		w.acme.Do(t, "PUT", path, object{"timesPerDay": 3}).WantStatus(t, http.StatusOK, &p)
		if len(p.Parts) != 0 {
			t.Errorf("%+v", p)
		}
		signed := w.signedConsent(t, session).ConsentID
		poll(t, w.acme, path, func(p planObject) bool { return len(p.Parts) == 1 && p.Parts[0].ConsentID == signed })
	})
}

// rowRefresh gets the answers about reads without the person.
func rowRefresh(t *testing.T, w *walk, database func(*testing.T) string) {
	w = w.start(t, devserver.Config{Database: database(t)})
	user, session, made := w.authorizedConsent(t, w.acme)
	path := "/users/" + user.UserUUID + "/refresh-plan"
	w.acme.Do(t, "GET", path, nil).WantProblem(t, fault.RefreshPlanNotFound)
	w.acme.Do(t, "PUT", path, object{"timesPerDay": 2}).WantStatus(t, http.StatusOK, nil)
	w.acme.get(t, path, nil)
	session.get(t, "/consents/"+made.ConsentID+"/access", nil)
	w.acme.delete(t, path).WantStatus(t, http.StatusNoContent, nil)
	w.acme.delete(t, "/users/"+user.UserUUID).WantStatus(t, http.StatusNoContent, nil)
	w.acme.Do(t, "PUT", path, object{"timesPerDay": 2}).WantProblem(t, fault.UserAnonymized)
}
