package source

import (
	"slices"
	"time"
)

// find returns a session that is alive. The caller holds mu.
func (s *Service) find(credential, id string, now time.Time) (*session, error) {
	e := s.sessions[id]
	if e == nil {
		return nil, unknownSession()
	}
	n := e.Value.(*session)
	if n.Ended || n.company.Credential != credential || now.Sub(n.used) >= sessionLife {
		return nil, unknownSession()
	}
	n.used = now
	return n, nil
}

func (s *Service) company(credential, id string) *company {
	at := slices.IndexFunc(s.companies, func(c *company) bool { return c.Credential == credential && c.ID == id })
	if at < 0 {
		return nil
	}
	return s.companies[at]
}

func (s *Service) add(n *session) {
	s.sessions[n.ID] = s.order.PushBack(n)
	s.byRequest[n.company.ID+"/"+n.RequestID] = n
	for i, st := range n.script {
		switch {
		case st.Kind.elsewhere():
			s.byToken[n.derive(i, "open")] = place{n, i}
		case st.Kind == stepDevice:
			s.byToken[n.derive(i, "device")] = place{n, i}
		}
	}
}

// dropOld forgets the oldest sessions that have ended, or that nobody used, once their
// first request cannot be repeated any more, or if there are too many. The caller holds mu.
func (s *Service) dropOld(now time.Time) {
	for e := s.order.Front(); e != nil; e = s.order.Front() {
		n := e.Value.(*session)
		over := n.Ended || now.Sub(n.used) >= sessionLife
		if !over || now.Sub(n.Created) < requestLife && s.order.Len() < s.limit {
			return
		}
		s.order.Remove(e)
		delete(s.sessions, n.ID)
		delete(s.byRequest, n.company.ID+"/"+n.RequestID)
		for i := range n.script {
			delete(s.byToken, n.derive(i, "open"))
			delete(s.byToken, n.derive(i, "device"))
		}
	}
}
