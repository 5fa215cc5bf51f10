// Package families lists the families of institutions that this server reaches.
// A new family is a package below internal/institution and a row here.
package families

import (
	"samla/internal/httpclient/httpsig"
	"samla/internal/institution/enablebanking"
	"samla/internal/institution/nordea"
	"samla/internal/institution/obie"
	"samla/internal/institution/registry"
	"samla/internal/institution/source"
	"samla/internal/institution/xs2a"
)

// All returns a registry of every family. Its first row is the family of entries
// that name none. A node has one registry, so that its institutions share what is
// limited for the node.
func All() registry.Registry {
	signatures := httpsig.NewLimit(0)
	return registry.Registry{
		xs2a.Family(signatures),   // Berlin Group XS2A 1.3
		nordea.Family(signatures), // Nordea's own wire
		obie.Family(),             // OBIE Read/Write
		source.Family(),           // the source protocol
		enablebanking.Family(),    // a gateway to many banks
	}
}
