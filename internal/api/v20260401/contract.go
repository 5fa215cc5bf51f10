// Package v20260401 is version 2026-04-01 of the API: its OpenAPI document.
package v20260401

import (
	_ "embed"
	"sync"

	"samla/internal/wire"
)

// Version is the value of the header Insurely-Version that selects this version
// (docs/reference/api.md 1.2).
const Version = "2026-04-01"

//go:embed openapi.json
var document []byte

// Contract returns the compiled document. It compiles it once a process. An error
// means that the document is broken.
func Contract() (*wire.Contract, error) { return contract() }

var contract = sync.OnceValues(func() (*wire.Contract, error) { return wire.Load(document) })
