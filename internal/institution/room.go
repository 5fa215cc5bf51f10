package institution

import "context"

// Room takes memory for n more bytes of an answer. It may wait until there is some. It
// returns an error if ctx ends first.
type Room func(ctx context.Context, n int) error

type roomKey struct{}

// WithRoom returns a context for a question whose answer may be large. A connector calls
// room before it reads more of the answer than a usual one has.
func WithRoom(ctx context.Context, room Room) context.Context {
	return context.WithValue(ctx, roomKey{}, room)
}

// RoomOf returns the room of a context, or nil if it has none.
func RoomOf(ctx context.Context) Room {
	room, _ := ctx.Value(roomKey{}).(Room)
	return room
}
