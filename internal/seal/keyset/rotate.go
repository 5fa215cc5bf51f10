package keyset

import (
	"bytes"
	"fmt"

	tink "github.com/tink-crypto/tink-go/v2/keyset"

	"samla/internal/durable"
)

// Rotate replaces the master key, while nodes run. It writes the master key's file with a
// new primary key beside the old ones, wraps every epoch key again, and, if drop is set,
// writes the file without the old keys. drop is for a database in which nothing is wrapped
// by the master key itself (store.Epochs.EpochUsed of the empty epoch). A process that
// dies in between leaves a file that opens everything; Rotate can then be called again.
func (r *Ring) Rotate(file string, drop bool) error {
	unlock, err := r.Lock(true)
	if err != nil {
		return err
	}
	defer unlock()
	current, err := loadFile(file) // as it is now, also after an interrupted rotation
	if err != nil {
		return err
	}
	next, err := current.Rotated()
	if err != nil {
		return err
	}
	if err := r.adopt(file, next); err != nil {
		return err
	}
	ids, err := r.IDs()
	if err != nil {
		return err
	}
	for _, id := range ids {
		f, err := r.load(id)
		if err != nil {
			return err
		}
		h, err := r.read(id)
		if err != nil {
			return fmt.Errorf("epoch key %s: %w", id, err)
		}
		b, err := r.encode(id, f.Created, h)
		if err != nil {
			return err
		}
		if err := durable.Replace(r.path(id), b); err != nil {
			return err
		}
	}
	if !drop {
		return nil
	}
	only, err := next.primaryOnly()
	if err != nil {
		return err
	}
	return r.adopt(file, only)
}

// adopt writes the master key's file and uses it.
func (r *Ring) adopt(file string, m *Master) error {
	var b bytes.Buffer
	if err := m.Write(&b); err != nil {
		return err
	}
	if err := durable.Replace(file, b.Bytes()); err != nil {
		return fmt.Errorf("write the master key: %w", err)
	}
	return r.setMaster(m)
}

// primaryOnly returns the keyset without its other keys.
func (m *Master) primaryOnly() (*Master, error) {
	manager := tink.NewManagerFromHandle(m.handle)
	info := m.handle.KeysetInfo()
	for _, k := range info.GetKeyInfo() {
		if k.GetKeyId() == info.GetPrimaryKeyId() {
			continue
		}
		if err := manager.Delete(k.GetKeyId()); err != nil {
			return nil, fmt.Errorf("keyset: delete an old master key: %w", err)
		}
	}
	h, err := manager.Handle()
	if err != nil {
		return nil, fmt.Errorf("keyset: delete the old master keys: %w", err)
	}
	return &Master{h}, nil
}
