// Package concurrency tests the services under concurrent calls, over the
// exclusive SQLite store with its status cache and over PostgreSQL, where each node
// has a store of its own. The clock and the job runners are real; a bank and
// a source answer from memory.
package concurrency
