package v20260401_test

import (
	"testing"

	"samla/internal/wire/docdiff"
)

// A client of what was published is not broken.
func TestDocument_BreaksNoClient(t *testing.T) {
	docdiff.CheckPublished(t, "testdata/published/openapi.json", contract(t).Text())
}
