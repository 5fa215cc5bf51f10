package keyset

import (
	"bytes"
	"fmt"

	tink "github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/streamingaead"
	primitive "github.com/tink-crypto/tink-go/v2/tink"

	"samla/internal/seal"
)

// useBackup is the use of an epoch key when it wraps the key of a backup.
const useBackup = "samla/backup/1"

// NewStreamKey makes a key for one backup, which has an id, and returns it with its
// wrapped form, which names the epoch. The backup can be opened as long as the key of
// this epoch exists.
func (r *Ring) NewStreamKey(id string) (primitive.StreamingAEAD, []byte, error) {
	epoch, err := r.ensure()
	if err != nil {
		return nil, nil, err
	}
	h, err := tink.NewHandle(streamingaead.AES256GCMHKDF1MBKeyTemplate())
	if err != nil {
		return nil, nil, fmt.Errorf("keyset: make the key of a backup: %w", err)
	}
	wrapped := bytes.NewBuffer(epoch.id.Prefix())
	if err := h.WriteWithAssociatedData(tink.NewBinaryWriter(wrapped), epoch.aead, associatedData(useBackup, id)); err != nil {
		return nil, nil, fmt.Errorf("keyset: wrap the key of a backup: %w", err)
	}
	stream, err := streamingaead.New(h)
	return stream, wrapped.Bytes(), err
}

// OpenStreamKey unwraps the key of a backup. Errors: seal.ErrDecryption, with
// seal.ErrEpochDestroyed when the key of its epoch is not in the directory.
func (r *Ring) OpenStreamKey(id string, wrapped []byte) (primitive.StreamingAEAD, error) {
	epoch, encrypted := seal.EpochOf(wrapped)
	if epoch == "" {
		return nil, seal.ErrDecryption
	}
	key, err := r.opening(epoch)
	if err != nil {
		return nil, err
	}
	h, err := tink.ReadWithAssociatedData(tink.NewBinaryReader(bytes.NewReader(encrypted)), key, associatedData(useBackup, id))
	if err != nil {
		return nil, seal.ErrDecryption
	}
	return streamingaead.New(h)
}
