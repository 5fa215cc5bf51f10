package server

import (
	"samla/internal/collect"
	"samla/internal/uuid7"
)

// Rereader reads the collections of this node again from their stored answers. It calls no
// institution.
func (s *Server) Rereader() *collect.Rereader {
	return collect.NewRereader(collect.RereaderDeps{Store: s.store, Vault: s.vault, Institutions: s.parts.Institutions, Clock: s.parts.Clock,
		IDs: uuid7.NewGenerator(s.parts.Clock, s.parts.Random)})
}
