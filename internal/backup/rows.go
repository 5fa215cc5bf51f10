package backup

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"

	"samla/internal/store"
)

// Records of the plain text: a table with its columns as JSON, a row with its values, and
// the end with the number of rows of each table as JSON.
const (
	isTable = 'T'
	isRow   = 'R'
	isEnd   = 'E'
)

// Values of a row.
const (
	isNull byte = iota
	isInt
	isText
	isBytes
	isFloat
	isFalse
	isTrue
)

// maxValue is the maximum length of a value in bytes: more than a database holds.
const maxValue = 1 << 30

// writer implements store.SnapshotWriter.
type writer struct {
	w     *bufio.Writer
	rows  map[string]int64
	table string
	buf   []byte
}

// Table implements store.SnapshotWriter.
func (w *writer) Table(t store.SnapshotTable) error {
	w.table, w.rows[t.Name] = t.Name, 0
	return w.json(isTable, t)
}

func (w *writer) end() error { return w.json(isEnd, w.rows) }

func (w *writer) json(kind byte, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	w.buf = append(binary.AppendUvarint(append(w.buf[:0], kind), uint64(len(text))), text...)
	_, err = w.w.Write(w.buf)
	return err
}

// Row implements store.SnapshotWriter.
func (w *writer) Row(values []any) error {
	b := append(w.buf[:0], isRow)
	for _, v := range values {
		switch v := v.(type) {
		case nil:
			b = append(b, isNull)
		case int64:
			b = binary.AppendVarint(append(b, isInt), v)
		case string:
			b = append(binary.AppendUvarint(append(b, isText), uint64(len(v))), v...)
		case []byte:
			b = append(binary.AppendUvarint(append(b, isBytes), uint64(len(v))), v...)
		case float64:
			b = binary.BigEndian.AppendUint64(append(b, isFloat), math.Float64bits(v))
		case bool:
			kind := isFalse
			if v {
				kind = isTrue
			}
			b = append(b, kind)
		default:
			return fmt.Errorf("backup: table %s has a value of type %T", w.table, v)
		}
	}
	w.buf = b
	w.rows[w.table]++
	_, err := w.w.Write(b)
	return err
}

// Reader gives the tables and rows of a backup back, in order. What it cannot read is
// ErrDamaged.
type Reader struct {
	r     *bufio.Reader
	rows  map[string]int64
	table store.SnapshotTable
}

var _ store.SnapshotReader = (*Reader)(nil)

// Reader returns the reader of the file; it reads once.
func (b *File) Reader() *Reader { return &Reader{r: b.plain, rows: map[string]int64{}} }

// Table implements store.SnapshotReader. At the end it checks that no row is missing.
func (r *Reader) Table() (store.SnapshotTable, error) {
	kind, err := r.r.ReadByte()
	if err != nil {
		return store.SnapshotTable{}, ErrDamaged
	}
	text, err := r.bytes()
	if err != nil {
		return store.SnapshotTable{}, err
	}
	switch kind {
	case isTable:
		r.table = store.SnapshotTable{}
		if json.Unmarshal(text, &r.table) != nil || len(r.table.Columns) == 0 {
			return r.table, ErrDamaged
		}
		r.rows[r.table.Name] = 0
		return r.table, nil
	case isEnd:
		var rows map[string]int64
		if json.Unmarshal(text, &rows) != nil || !maps.Equal(rows, r.rows) {
			return store.SnapshotTable{}, ErrDamaged
		}
		if _, err := r.r.ReadByte(); err != io.EOF { // the last segment is authentic
			return store.SnapshotTable{}, ErrDamaged
		}
		return store.SnapshotTable{}, io.EOF
	}
	return store.SnapshotTable{}, ErrDamaged
}

// Row implements store.SnapshotReader.
func (r *Reader) Row() ([]any, error) {
	kind, err := r.r.Peek(1)
	switch {
	case err != nil:
		return nil, ErrDamaged
	case kind[0] != isRow:
		return nil, io.EOF
	}
	_, _ = r.r.Discard(1)
	values := make([]any, len(r.table.Columns))
	for i := range values {
		if values[i], err = r.value(); err != nil {
			return nil, err
		}
	}
	r.rows[r.table.Name]++
	return values, nil
}

func (r *Reader) value() (any, error) {
	kind, err := r.r.ReadByte()
	if err != nil {
		return nil, ErrDamaged
	}
	switch kind {
	case isNull:
		return nil, nil
	case isInt:
		n, err := binary.ReadVarint(r.r)
		if err != nil {
			return nil, ErrDamaged
		}
		return n, nil
	case isText:
		b, err := r.bytes()
		return string(b), err
	case isBytes:
		return r.bytes()
	case isFloat:
		var b [8]byte
		if _, err := io.ReadFull(r.r, b[:]); err != nil {
			return nil, ErrDamaged
		}
		return math.Float64frombits(binary.BigEndian.Uint64(b[:])), nil
	case isFalse, isTrue:
		return kind == isTrue, nil
	}
	return nil, ErrDamaged
}

func (r *Reader) bytes() ([]byte, error) {
	n, err := binary.ReadUvarint(r.r)
	if err != nil || n > maxValue {
		return nil, ErrDamaged
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(r.r, b); err != nil {
		return nil, ErrDamaged
	}
	return b, nil
}
