package doctor

import (
	"errors"
	"fmt"
	"io/fs"
	"time"

	"samla/internal/store/sqlstore"
)

const (
	mostSkew    = 5 * time.Second
	clockAdvice = "let NTP (chrony, systemd-timesyncd) keep the clock of this machine and of the database's"
)

// Database judges what a database says of itself, or the error of looking, at the time now,
// and warns if fewer than leastFree bytes are left for it.
// It reports whether this binary can open it without changing it.
func (r *Report) Database(i sqlstore.Inspection, err error, now time.Time, leastFree uint64) bool {
	const name = "database"
	switch {
	case errors.Is(err, fs.ErrNotExist):
		r.warn(name, "nothing, if this is a new installation; else pass the --data or --database of the server", "there is no database yet")
		return false
	case err != nil:
		r.failed(name, "check that PostgreSQL runs and the URL is right; for SQLite, that this user may read the files", "cannot be read: %v", err)
		return false
	case i.Oldest > i.Known:
		r.failed(name, "start the newer release, or restore a backup from before the upgrade", "a newer release has changed it: it needs schema %d, this program knows %d", i.Oldest, i.Known)
		return false
	}
	r.ok(name, "%s %s", i.Kind, i.Version)
	r.schema(i)
	r.Clock("clock of the database", i.Now, now)
	if i.Free > 0 && i.Free < leastFree {
		r.warn("disk", "make room, or shorten --keep-data", "%d MiB are left for the database", i.Free>>20)
	} else if i.Free > 0 {
		r.ok("disk", "%d GiB are left for the database", i.Free>>30)
	}
	return i.Applied == i.Known
}

func (r *Report) schema(i sqlstore.Inspection) {
	text := fmt.Sprintf("schema %d, this program knows %d", i.Applied, i.Known)
	switch {
	case i.Applied == 0:
		r.warn("schema", "nothing: the next start of the server creates the tables", "the database is empty")
	case i.Applied < i.Known:
		r.warn("schema", "make a backup; the next start of the server migrates the database", "%s", text)
	case i.Applied > i.Known:
		r.warn("schema", "upgrade this node too: only the release before the newest can run beside it", "%s", text)
	default:
		r.ok("schema", "%s", text)
	}
}

// Clock compares another clock with that of this machine.
func (r *Report) Clock(name string, other, now time.Time) {
	if skew := now.Sub(other).Abs(); skew > mostSkew {
		r.failed(name, clockAdvice, "differs from this machine's by %v", skew.Round(time.Second))
		return
	}
	r.ok(name, "agrees with this machine's")
}
