package flow_test

import (
	"testing"

	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/dialogue"
	"samla/internal/flow"
)

func TestOfConsent_FollowsStatusAndWhatIsOffered(t *testing.T) {
	awaiting := consent.Consent{Status: consent.AwaitingAuthorization, Step: consent.StepWatch}
	visited := func(s consent.Stage) consent.Consent {
		c := awaiting
		c.Visit = &consent.Visit{Stage: s}
		return c
	}
	for name, c := range map[string]struct {
		c        consent.Consent
		o        flow.Offer
		onDevice bool
		want     flow.Sight
	}{
		"new":             {consent.Consent{Status: consent.Initiated}, flow.Offer{}, false, flow.Sight{State: flow.Opening}},
		"nothing yet":     {awaiting, flow.Offer{}, false, flow.Sight{State: flow.Opening}},
		"code":            {awaiting, flow.Offer{Code: true, Token: true, Message: "RFA1"}, false, flow.Sight{State: flow.QR}},
		"this device":     {awaiting, flow.Offer{Code: true, Token: true}, true, flow.Sight{State: flow.App}},
		"token only":      {awaiting, flow.Offer{Token: true}, false, flow.Sight{State: flow.App}},
		"code only":       {awaiting, flow.Offer{Code: true}, true, flow.Sight{State: flow.QR}},
		"in the app":      {awaiting, flow.Offer{Code: true, Token: true, Message: "RFA9"}, false, flow.Sight{State: flow.InApp}},
		"page":            {visited(consent.StageOpen), flow.Offer{Page: true}, false, flow.Sight{State: flow.Bank}},
		"to choose":       {consent.Consent{Status: consent.AwaitingAuthorization, Step: consent.StepChoose, Visit: &consent.Visit{Stage: consent.StageOpen}}, flow.Offer{Page: true}, false, flow.Sight{State: flow.PickAccounts}},
		"another browser": {visited(consent.StageHeld), flow.Offer{Page: true}, false, flow.Sight{State: flow.Elsewhere}},
		"back":            {visited(consent.StageAccepted), flow.Offer{Page: true}, false, flow.Sight{State: flow.Returned}},
		"signed":          {consent.Consent{Status: consent.Authorized}, flow.Offer{}, false, flow.Sight{State: flow.Returned, Signed: true}},
		"cancelled there": {consent.Consent{Status: consent.Failed, Failure: consent.AuthenticationCancelled}, flow.Offer{}, false, flow.Sight{State: flow.Cancelled}},
		"taken back":      {consent.Consent{Status: consent.Revoked}, flow.Offer{}, false, flow.Sight{State: flow.Cancelled}},
		"failed":          {consent.Consent{Status: consent.Failed, Failure: consent.BankError}, flow.Offer{}, false, flow.Sight{State: flow.Failed, Failure: "BANK_ERROR"}},
		"out of time":     {consent.Consent{Status: consent.Expired}, flow.Offer{}, false, flow.Sight{State: flow.Failed, Failure: "AUTHENTICATION_TIMEOUT"}},
	} {
		if got := flow.OfConsent(c.c, c.o, c.onDevice); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

func TestOfCollection_FollowsStatusAndDialogue(t *testing.T) {
	of := func(s collection.Status) collection.Collection {
		return collection.Collection{Status: s, Mode: collection.Dialogue}
	}
	asks := func(s flow.State) flow.Sight { return flow.Sight{State: s, Question: "q"} }
	bankID := &dialogue.Shown{For: dialogue.BankID, QRText: "t", AutoStartToken: "a"}
	for name, c := range map[string]struct {
		c        collection.Collection
		shown    *dialogue.Shown
		onDevice bool
		was      flow.State
		want     flow.Sight
	}{
		"new":               {of(collection.Running), nil, false, flow.Opening, flow.Sight{State: flow.Opening}},
		"code":              {of(collection.Login), bankID, false, flow.Opening, flow.Sight{State: flow.QR}},
		"this device":       {of(collection.Login), bankID, true, flow.Opening, flow.Sight{State: flow.App}},
		"scanned":           {of(collection.Login), &dialogue.Shown{For: dialogue.BankID, AutoStartToken: "a"}, false, flow.QR, flow.Sight{State: flow.InApp}},
		"the source works":  {of(collection.Login), nil, false, flow.QR, flow.Sight{State: flow.Returned}},
		"asks for a code":   {of(collection.TwoFactorPending), &dialogue.Shown{Question: "q", Kind: dialogue.Code}, false, flow.QR, asks(flow.AskCode)},
		"a choice":          {of(collection.TwoFactorPending), &dialogue.Shown{Question: "q", Kind: dialogue.Method}, false, flow.QR, asks(flow.AskChoice)},
		"contact":           {of(collection.ContactFormPending), &dialogue.Shown{Question: "q", Kind: dialogue.Contact}, false, flow.QR, asks(flow.AskContact)},
		"input":             {of(collection.CollectionInputPending), &dialogue.Shown{Question: "q", Kind: dialogue.Input}, false, flow.QR, asks(flow.AskInput)},
		"device":            {of(collection.Login), &dialogue.Shown{Question: "q", Device: &dialogue.Device{}}, false, flow.QR, asks(flow.AskDevice)},
		"e-mail":            {of(collection.WaitingForUserAction), &dialogue.Shown{For: dialogue.EmailLink}, false, flow.Opening, flow.Sight{State: flow.AskEmail}},
		"page":              {of(collection.WaitingForUserAction), &dialogue.Shown{For: dialogue.Page, URL: "https://x"}, false, flow.Opening, flow.Sight{State: flow.Bank}},
		"another app":       {of(collection.WaitingForUserAction), &dialogue.Shown{For: dialogue.App}, false, flow.Opening, flow.Sight{State: flow.AskWait}},
		"answer on its way": {of(collection.TwoFactorPending), nil, false, flow.AskCode, flow.Sight{State: flow.Returned}},
		"reads":             {of(collection.Collecting), nil, false, flow.QR, flow.Sight{State: flow.Reading, Signed: true}},
		"stored, new":       {collection.Collection{Status: collection.Running, Mode: collection.Stored}, nil, false, flow.Reading, flow.Sight{State: flow.Reading, Signed: true}},
		"done":              {of(collection.CompletedPartial), nil, false, flow.Reading, flow.Sight{State: flow.Done, Signed: true}},
		"failed":            {of(collection.KYCForm), nil, false, flow.QR, flow.Sight{State: flow.Failed, Failure: "KYC_FORM"}},
		"cancelled":         {of(collection.AuthenticationCancelled), nil, false, flow.QR, flow.Sight{State: flow.Cancelled}},
	} {
		if got := flow.OfCollection(c.c, c.shown, c.onDevice, c.was); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

// Every status of consents and collections has a state.
func TestSight_KnowsEveryStatus(t *testing.T) {
	begun := walk(t, fresh("se-a"), flow.Begin{ConsentID: "c", CollectionID: "k"})
	for _, s := range collection.Statuses() {
		if _, err := begun.Apply(flow.See{Sight: flow.OfCollection(collection.Collection{Status: s, Mode: collection.Dialogue}, nil, false, flow.Opening)}, morning); err != nil {
			t.Errorf("%s: %v", s, err)
		}
	}
	for _, s := range consent.Statuses() {
		if _, err := begun.Apply(flow.See{Sight: flow.OfConsent(consent.Consent{Status: s, Failure: consent.BankError}, flow.Offer{}, false)}, morning); err != nil {
			t.Errorf("%s: %v", s, err)
		}
	}
}
