package api

import (
	"net/http"

	"samla/internal/clock"
)

// Piece is the size in bytes of what is written under one deadline.
const Piece = 64 << 10

// writePieces writes a body. The client has the time of Mount.Write for each piece: one
// that reads slowly gets everything, and one that stops reading does not hold the body
// and the goroutine any longer than that. The error says that it did not read all.
//
// A body of one piece has the deadline that net/http sets for each request
// (http.Server.WriteTimeout), so that polls do not pay for a second one.
func (c *Call) writePieces(body []byte) error {
	if len(body) <= Piece {
		_, err := c.w.Write(body)
		return err
	}
	deadline := http.NewResponseController(c.w)
	for len(body) > 0 {
		n := min(len(body), Piece)
		// The network goes by the machine's clock. A writer without a network has no
		// deadlines, which is the only error.
		_ = deadline.SetWriteDeadline(clock.System().Now().Add(c.route.mount.Write))
		if _, err := c.w.Write(body[:n]); err != nil {
			return err
		}
		body = body[n:]
	}
	return nil
}
