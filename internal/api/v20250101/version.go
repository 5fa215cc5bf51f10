// Package v20250101 is version 2025-01-01 of the API (docs/reference/products.md 10): its
// OpenAPI document, the bodies and rules of its requests, and the older form of products.
// It calls the operations of version 2026-04-01 and converts their answers.
package v20250101

import (
	_ "embed"
	"sync"

	"samla/internal/api"
	"samla/internal/api/collections"
	"samla/internal/authorize"
	"samla/internal/clock"
	"samla/internal/collect"
	"samla/internal/institution"
	"samla/internal/wire"
)

// Version is the value of the header Insurely-Version that selects this version
// (docs/reference/api.md 1.2).
const Version = "2025-01-01"

// The document is served to clients. The rules are an overlay over it, which only
// this server and its tests read (package wire).
var (
	//go:embed openapi.json
	document []byte
	//go:embed rules.json
	rules []byte
)

// Contract returns the compiled document. It compiles it once a process. An error
// means that the document or its rules are broken.
func Contract() (*wire.Contract, error) { return contract() }

var contract = sync.OnceValues(func() (*wire.Contract, error) { return wire.Load(document, rules) })

// Services do the work of the operations. All are required.
type Services struct {
	Consents     *authorize.Service
	Collections  *collect.Service
	Institutions institution.Institutions
	Clock        clock.Clock
}

// operations has a method for each operation that is not one of the newer version.
type operations struct {
	Services
	shared collections.Operations
	large  chan struct{} // of olderData
}

// New returns the version. newer is version 2026-04-01. An error means that the document is
// broken.
func New(s Services, newer api.Version) (api.Version, error) {
	c, err := Contract()
	if err != nil {
		return api.Version{}, err
	}
	o := &operations{s, collections.Operations{Consents: s.Consents, Collections: s.Collections}, make(chan struct{}, largeViews)}
	status := newer.Endpoints["getCollectionStatus"]
	status.Serve = func(c *api.Call) error {
		c.Rewrite(olderStatus)
		return o.shared.Status(c)
	}
	data := newer.Endpoints["getWealthData"]
	data.Serve = o.data
	return api.Version{Contract: c, Endpoints: api.Endpoints{
		"initiateCollection":       {Serve: o.startCollection},
		"getCollectionStatus":      status,
		"getWealthData":            data,
		"addSupplementInformation": newer.Endpoints["addSupplementInformation"],
		"getPublicPension":         {Serve: o.publicPension},
		"getCompanyAvailability":   newer.Endpoints["getCompanyAvailability"],
	}}, nil
}
