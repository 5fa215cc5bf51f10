package source_test

import (
	"net/http/httptest"
	"testing"

	"samla/internal/clock"
	"samla/internal/dialogue"
	"samla/internal/institution/sourcecheck"
)

// The sources pass the conformance suite that others use for theirs.
func TestSources_PassConformanceSuite(t *testing.T) {
	for name, o := range map[string]sourcecheck.Options{
		"code": {Institution: demo, Parameters: sourcecheck.Parameters{PersonalNumber: "200004010000"},
			Answers: []dialogue.Answer{{Code: "000000"}, {Choice: dialogue.Resend}, {Code: "234561"}}},
		"maximum person": {Institution: demo, Parameters: sourcecheck.Parameters{PersonalNumber: "200001020000"}},
		"animated QR":    {Institution: demo, Parameters: sourcecheck.Parameters{PersonalNumber: "200001060000"}},
		"form, choice and code": {Institution: demo, Parameters: sourcecheck.Parameters{PersonalNumber: "200004130000"},
			Answers: []dialogue.Answer{{Inputs: map[string]string{"EMAIL": "anna@example.com", "MOBILE_PHONE_NUMBER": "070-1740605"}}, {Choice: "SMS"}, {Code: "123456"}}},
		"security token": {Institution: "se-sandbox-savings", Parameters: sourcecheck.Parameters{PersonalNumber: anna}, Answers: []dialogue.Answer{{Code: "123456"}}},
	} {
		t.Run(name, func(t *testing.T) {
			w := startAt(t, clock.System())
			server := httptest.NewServer(w.mux)
			defer server.Close()
			o.URL, o.Secret, o.Client = server.URL+"/sources/bearer", secret, server.Client()
			report := sourcecheck.Run(t.Context(), o)
			for _, c := range report.Checks {
				if c.Result == sourcecheck.Failed {
					t.Errorf("%s (%s): %v", c.Name, c.Rule, c.Details)
				}
			}
			if !report.OK {
				t.Errorf("passed %d, failed %d, skipped %d, needs %+v", report.Passed, report.Failed, report.Skipped, report.NeedsAnswer)
			}
		})
	}
}
