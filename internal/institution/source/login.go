package source

import (
	"context"
	"net/http"

	"samla/internal/dialogue"
	"samla/internal/institution"
)

// loginRequest is the body of POST /v1/sessions (docs/source-protocol/README.md, Login).
type loginRequest struct {
	Institution    string `json:"institution"`
	LoginMethod    string `json:"loginMethod,omitzero"`
	PersonalNumber string `json:"personalNumber,omitzero"`
	Email          string `json:"email,omitzero"`
	UserID         string `json:"userId,omitzero"`
	Locale         string `json:"locale,omitzero"`
	IPAddress      string `json:"ipAddress,omitzero"`
	UserAgent      string `json:"userAgent,omitzero"`
}

// Login implements institution.Loginer.
func (s *Source) Login(ctx context.Context, r institution.LoginRequest) (institution.LoginSession, error) {
	c := s.small(http.MethodPost, r.RequestID, loginRequest{Institution: s.config.Institution, LoginMethod: r.LoginMethod,
		PersonalNumber: r.PSU.PersonalNumber.Digits(), Email: r.Email, UserID: r.UserID,
		Locale: r.PSU.Locale, IPAddress: r.PSU.IPAddress, UserAgent: r.PSU.UserAgent}, "sessions")
	body, err := s.exchange(ctx, c)
	if err != nil {
		return institution.LoginSession{}, err
	}
	session, turn, faults := ReadLogin(body, s.hosts)
	if len(faults) > 0 {
		return institution.LoginSession{}, malformed(c.requestID, faults)
	}
	return institution.LoginSession{ID: session, Turn: turn}, nil
}

// Turn implements institution.Loginer.
func (s *Source) Turn(ctx context.Context, session string) (dialogue.Turn, error) {
	return s.turn(ctx, s.small(http.MethodGet, "", nil, "sessions", session, "turn"))
}

// Answer implements institution.Loginer.
func (s *Source) Answer(ctx context.Context, session, requestID string, a dialogue.Answer) (dialogue.Turn, error) {
	return s.turn(ctx, s.small(http.MethodPost, requestID, a, "sessions", session, "answers"))
}

func (s *Source) turn(ctx context.Context, c call) (dialogue.Turn, error) {
	body, err := s.exchange(ctx, c)
	if err != nil {
		return dialogue.Turn{}, err
	}
	turn, faults := ReadTurn(body, s.hosts)
	if len(faults) > 0 {
		return dialogue.Turn{}, malformed(c.requestID, faults)
	}
	return turn, nil
}

// EndLogin implements institution.Loginer.
func (s *Source) EndLogin(ctx context.Context, session, requestID string) error {
	_, err := s.exchange(ctx, s.small(http.MethodDelete, requestID, nil, "sessions", session))
	if institution.KindOf(err) == institution.SessionGone {
		return nil
	}
	return err
}
