package server

import (
	"samla/internal/journal"
	"samla/internal/seal"
	"samla/internal/uuid7"
	"samla/internal/webhook/post"
	"samla/internal/webhooks"
)

// wireWebhooks creates what sends events, and connects it to what puts them in order.
func (s *Server) wireWebhooks(vault seal.Vault, ids *uuid7.Generator) {
	p := s.parts
	s.sending = webhooks.NewDispatcher(webhooks.DispatcherDeps{Store: s.store, Vault: vault, Clock: p.Clock, IDs: ids, Log: p.Log, Random: p.Random,
		Client: post.New(post.Config{Targets: s.config.WebhookTargets}), PauseAfter: s.config.WebhookPauseAfter,
		Observe: s.observeAttempt(), Trace: s.traceAttempt()})
	s.hooks = webhooks.New(webhooks.Deps{Store: s.store, Vault: vault, Clock: p.Clock, IDs: ids, Random: p.Random,
		Targets: s.config.WebhookTargets, Woken: s.sending.Wake,
		Deleted: s.journaled(journal.EndpointDeleted), Rotated: s.journaled(journal.SecretRotated)})
	s.sequence.FanOut, s.sequence.Sequenced = s.sending.FanOut, s.sequenced
}
