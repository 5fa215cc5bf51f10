package api

import (
	"net/http"

	"samla/internal/clock"
)

// Piece is the size in bytes of what is written under one deadline.
const Piece = 64 << 10

// setDeadline gives the client the time of Mount.Write to read what is written next.
func (c *Call) setDeadline() {
	// The network goes by the machine's clock. A writer without a network has no
	// deadlines, which is the only error.
	_ = http.NewResponseController(c.w).SetWriteDeadline(clock.System().Now().Add(c.route.mount.Write))
}

// ownDeadline reports whether an answer of one piece needs a deadline of its own. A GET,
// which may be a poll, goes by the deadline that net/http sets when it has read the
// header of a request (http.Server.WriteTimeout). Other requests can take longer.
func (c *Call) ownDeadline() bool { return c.r.Method != http.MethodGet }

// writePieces writes a body with a deadline for each piece: a client that reads slowly
// gets everything, and one that stops reading does not hold the body and the goroutine.
// The error says that the client did not read all.
func (c *Call) writePieces(body []byte) error {
	own := len(body) > Piece || c.ownDeadline()
	for {
		n := min(len(body), Piece)
		if own {
			c.setDeadline()
		}
		if _, err := c.w.Write(body[:n]); err != nil {
			return err
		}
		if body = body[n:]; len(body) == 0 {
			return nil
		}
	}
}
