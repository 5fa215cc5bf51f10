package api

import "testing"

func TestShape_ForgetsNamesOfVariables(t *testing.T) {
	for pattern, want := range map[string]string{
		"/": "/", "/users": "/users", "/users/{id}/consents": "/users/{}/consents", "/users/{userUuid}/consents": "/users/{}/consents",
	} {
		if got := shape(pattern); got != want {
			t.Errorf("%s has the shape %s", pattern, got)
		}
	}
}
