package operators

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
)

// The cost of a password: the least that OWASP recommends for Argon2id (19 MiB, 2 passes,
// 1 lane). It is beside a second factor, and attempts are few.
const (
	hashMemory = 19 << 10 // KiB
	hashTime   = 2
	hashLanes  = 1
	hashSize   = 32
	saltSize   = 16
)

// The lengths of passwords, in characters and bytes (NIST SP 800-63B-4 3.1.1.2 asks for 8 at
// least beside a second factor). No rule asks for kinds of characters.
const (
	minPassword = 12
	maxPassword = 256
)

// ErrPassword means that a password cannot be taken.
var ErrPassword = fmt.Errorf("the password must have %d characters or more, and not be the name", minPassword)

// checkPassword returns ErrPassword for a password that cannot be taken.
func checkPassword(name, password string) error {
	if utf8.RuneCountInString(password) < minPassword || len(password) > maxPassword || !utf8.ValidString(password) ||
		strings.Trim(strings.ToLower(password), strings.ToLower(name)) == "" {
		return ErrPassword
	}
	return nil
}

var raw = base64.RawStdEncoding

// hash hashes a password with a new salt, in the form of PHC strings.
func (s *Service) hash(ctx context.Context, password string) (string, error) {
	salt := make([]byte, saltSize)
	if _, err := io.ReadFull(s.Random, salt); err != nil {
		return "", err
	}
	sum, err := s.derive(ctx, password, salt, hashTime, hashMemory, hashLanes)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, hashMemory, hashTime, hashLanes, raw.EncodeToString(salt), raw.EncodeToString(sum)), nil
}

// derive waits for its turn: many at once would take the memory of the machine.
func (s *Service) derive(ctx context.Context, password string, salt []byte, time, memory uint32, lanes uint8) ([]byte, error) {
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return argon2.IDKey([]byte(password), salt, time, memory, lanes, hashSize), nil
}

var errHash = errors.New("operators: a stored password has an unknown form")

// verify reports whether a password is that of a hash. Without a hash it works as long and
// reports false.
func (s *Service) verify(ctx context.Context, stored, password string) (bool, error) {
	real := stored != ""
	if !real {
		stored = s.dummy
	}
	var version int
	var memory, time uint32
	var lanes uint8
	parts := strings.Split(stored, "$")
	if len(parts) != 6 || parts[1] != "argon2id" {
		return false, errHash
	}
	if _, err := fmt.Sscanf(parts[2]+" "+parts[3], "v=%d m=%d,t=%d,p=%d", &version, &memory, &time, &lanes); err != nil || version != argon2.Version {
		return false, errHash
	}
	salt, err := raw.DecodeString(parts[4])
	if err != nil {
		return false, errHash
	}
	want, err := raw.DecodeString(parts[5])
	if err != nil {
		return false, errHash
	}
	if len(password) > maxPassword {
		password = password[:maxPassword] // it is wrong: none is so long
		real = false
	}
	got, err := s.derive(ctx, password, salt, time, memory, lanes)
	return subtle.ConstantTimeCompare(got, want) == 1 && real, err
}
