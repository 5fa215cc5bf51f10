package collection

// The API versions that can start a collection (docs/reference/api.md 1.2).
const (
	V20250101 = "2025-01-01"
	V20260401 = "2026-04-01"
)

// StartedBy returns the API version that started the collection. Without one it was
// started before versions were stored, or by Samla itself: then it is 2026-04-01.
func (c Collection) StartedBy() string {
	if c.Version == "" {
		return V20260401
	}
	return c.Version
}

// In returns the status in the form of an API version. 2025-01-01 does not have all of
// them (docs/reference/products.md 10.2).
func (s Status) In(version string) Status {
	if version == V20250101 && (s == AuthenticationError || s == LoginMethodNotApplicable) {
		return Failed
	}
	return s
}
