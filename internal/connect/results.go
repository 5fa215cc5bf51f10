package connect

import (
	"context"

	"samla/internal/collect"
	"samla/internal/flow"
)

// Kinds counts what was read in a flow that is done, for the person. Zero: nothing, or not
// any more.
func (s *Service) Kinds(ctx context.Context, f flow.Flow) (collect.Kinds, error) {
	if f.State != flow.Done || f.CollectionID == "" {
		return collect.Kinds{}, nil
	}
	k, err := s.Collections.Kinds(ctx, owner(f), f.CollectionID)
	return k, gone(err)
}

// resultsRoute is how the audit log names that a host page gets the data.
const resultsRoute = "connectPageResults"

// Results returns the data of a flow that is done, as version 2026-04-01 serves it, for the
// page of the client that frames ours: a JSON array in gzip. The access is in the audit log.
// Error: ErrUnknown, also where no page frames ours, or the link says that the page gets
// nothing.
func (s *Service) Results(ctx context.Context, id, key string) ([]byte, error) {
	f, err := s.find(ctx, id, key)
	if err != nil {
		return nil, err
	}
	if f.State != flow.Done || f.CollectionID == "" || f.Terms.Origin == "" || f.Terms.Silent {
		return nil, ErrUnknown
	}
	of := owner(f)
	of.Route = resultsRoute
	data, err := s.Collections.Data(ctx, of, f.CollectionID)
	if err != nil {
		return nil, gone(err)
	}
	return data.Served().Packed(ctx)
}
