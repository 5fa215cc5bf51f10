package store

import "context"

// SnapshotTable is a table of a snapshot, with the names of its columns in order.
type SnapshotTable struct {
	Name    string   `json:"name"`
	Columns []string `json:"columns"`
}

// SnapshotWriter takes a snapshot: each table, followed by its rows. A value of a row is
// nil, int64, float64, bool, string or []byte, and is valid until Row returns.
type SnapshotWriter interface {
	Table(t SnapshotTable) error
	Row(values []any) error
}

// SnapshotReader gives a snapshot back. Both methods return io.EOF at the end: Table
// after the last table, Row after the last row of a table.
type SnapshotReader interface {
	Table() (SnapshotTable, error)
	Row() ([]any, error)
}

// Snapshots is the part of a store that copies all of it.
type Snapshots interface {
	// Schema returns the number of the newest migration that was applied.
	Schema(ctx context.Context) (int64, error)
	// Snapshot writes all rows as they are at one moment, while others go on writing. A
	// table comes after those that it refers to.
	Snapshot(ctx context.Context, w SnapshotWriter) error
}
