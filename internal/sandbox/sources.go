package sandbox

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"samla/internal/sandbox/source"

	"github.com/google/uuid"
)

// Files of the sources in Config.Dir.
const (
	sourcesFile = "sources.jsonl" // journal of the sessions
	secretFile  = "source-secret" // the bearer secret and a newline
)

// openSources makes the sources, with the sessions and the secret of the last start.
func (s *Sandbox) openSources() error {
	s.source = source.New(s.config.Clock, s.config.Random, s.bankID)
	var err error
	if s.secret, err = s.keptSecret(secretFile); err != nil || s.config.Dir == "" {
		return err
	}
	return s.source.OpenJournal(filepath.Join(s.config.Dir, sourcesFile))
}

// keptSecret returns the secret in a file of Config.Dir, or a new one, which it writes there.
func (s *Sandbox) keptSecret(name string) (string, error) {
	id, err := uuid.NewRandomFromReader(s.config.Random)
	if err != nil {
		return "", fmt.Errorf("reading randomness: %w", err)
	}
	if s.config.Dir == "" {
		return id.String(), nil
	}
	path := filepath.Join(s.config.Dir, name)
	stored, err := os.ReadFile(path)
	if text, complete := strings.CutSuffix(string(stored), "\n"); err == nil && complete && text != "" {
		return text, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	return id.String(), os.WriteFile(path, []byte(id.String()+"\n"), 0o600)
}

// SourceInfo is what a client must configure to use a source. BaseURL is empty before Start.
type SourceInfo struct {
	source.SourceInfo
	BaseURL string // the operations are under BaseURL + "/v1/"
}

// Sources returns the institutions that a person logs in to by dialogue.
func (s *Sandbox) Sources() []SourceInfo {
	var list []SourceInfo
	for _, i := range s.source.Sources() {
		info := SourceInfo{SourceInfo: i}
		if s.url != "" {
			info.BaseURL = s.url + i.Path
		}
		list = append(list, info)
	}
	return list
}

// SourceService returns the service of the sources, for tests that make them misbehave.
func (s *Sandbox) SourceService() *source.Service { return s.source }

// SourceSecret returns the bearer secret of the sources.
func (s *Sandbox) SourceSecret() string { return s.secret }

// SourceSecretFile returns the absolute path of the file with that secret; empty without
// Config.Dir.
func (s *Sandbox) SourceSecretFile() string { return s.file(secretFile) }
