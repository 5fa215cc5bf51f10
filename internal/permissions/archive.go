package permissions

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"samla/internal/export"
	"samla/internal/outbox"
	"samla/internal/product"
	"samla/internal/seal"
	"samla/internal/session"
	"samla/internal/store"
	"samla/internal/words"
)

const (
	// maxArchive is the most that an archive holds, uncompressed.
	maxArchive = 256 << 20
	// archiveAttempts is how often it is tried to make one.
	archiveAttempts = 4
)

func archivePlace(visitID string) seal.Place {
	return seal.Place{Table: "permission_archives", Column: "sealed", Row: visitID}
}

// AskArchive begins to make an archive, if none is being made or can be fetched, and
// returns the visit. A job makes it. Error: ErrNotWhole.
func (s *Service) AskArchive(ctx context.Context, v session.Visit) (session.Visit, error) {
	if err := s.checkWhole(ctx, v); err != nil {
		return v, err
	}
	now := s.Clock.Now()
	m := outbox.Message{ID: s.IDs.New(), Kind: outbox.MakeArchive, CreatedAt: now, WakeAt: now}
	payload, err := json.Marshal(outbox.Archive{Visit: v.ID})
	if err != nil {
		return v, err
	}
	if m.Sealed, err = s.Vault.Seal(ctx, seal.System, messagePlace(m.ID), payload); err != nil {
		return v, err
	}
	return store.UpdateVisit(ctx, s.Store, v.ID, func(old session.Visit) (session.Visit, func(store.Tx) error, error) {
		next, asked := old.Asked(now)
		if !asked {
			return old, nil, store.ErrUnchanged
		}
		return next, func(tx store.Tx) error { return tx.AddOutboxMessage(ctx, m) }, nil
	})
}

func messagePlace(id string) seal.Place {
	return seal.Place{Table: "duties", Column: "sealed", Row: id}
}

// Make makes the archive of a message of the kind MakeArchive; it is the handler of such
// messages. What cannot be made after some attempts is given up, and the person is told.
func (s *Service) Make(ctx context.Context, m outbox.Message) error {
	plain, err := s.Vault.Open(ctx, seal.System, messagePlace(m.ID), m.Sealed)
	if err != nil {
		return err
	}
	var of outbox.Archive
	if err := json.Unmarshal(plain, &of); err != nil {
		return fmt.Errorf("permissions: the payload of outbox message %s does not parse", m.ID)
	}
	v, err := s.Store.Visit(ctx, of.Visit)
	if err == nil && v.Archive != session.ArchiveMaking {
		err = store.ErrNotFound
	}
	if errors.Is(err, store.ErrNotFound) { // the person was erased, or another node has made it
		return s.drop(ctx, m)
	}
	if err != nil {
		return err
	}
	sealed, failure := s.make(ctx, v)
	if failure != nil && !errors.Is(failure, seal.ErrKeyDestroyed) && m.Attempts+1 < archiveAttempts {
		s.Log.Warn("an archive of a person could not be made and is tried again", "visit", v.ID, "error", failure)
		m.Attempts++
		m.WakeAt = s.Clock.Now().Add(time.Duration(m.Attempts) * 5 * time.Second)
		return s.Store.Write(ctx, func(tx store.Tx) error { return tx.PutOutboxMessage(ctx, m) })
	}
	if failure != nil {
		s.Log.Error("an archive of a person could not be made", "visit", v.ID, "error", failure)
	}
	_, err = store.UpdateVisit(ctx, s.Store, v.ID, func(old session.Visit) (session.Visit, func(store.Tx) error, error) {
		now := s.Clock.Now()
		return old.Made(failure == nil, now), func(tx store.Tx) error {
			if failure == nil {
				if err := tx.PutArchive(ctx, v.ID, sealed, now); err != nil {
					return err
				}
			}
			return tx.DeleteOutboxMessage(ctx, m.ID)
		}, nil
	})
	if errors.Is(err, store.ErrNotFound) {
		return s.drop(ctx, m)
	}
	return err
}

// drop deletes a message with which nothing is left to do.
func (s *Service) drop(ctx context.Context, m outbox.Message) error {
	err := s.Store.Write(ctx, func(tx store.Tx) error { return tx.DeleteOutboxMessage(ctx, m.ID) })
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}

// Archive returns the archive of a visit as a ZIP file. Error: store.ErrNotFound if there
// is none that can be fetched.
func (s *Service) Archive(ctx context.Context, v session.Visit) ([]byte, error) {
	if !v.Fetchable(s.Clock.Now()) {
		return nil, store.ErrNotFound
	}
	sealed, err := s.Store.Archive(ctx, v.ID)
	if err != nil {
		return nil, err
	}
	return s.Vault.Open(ctx, v.UserID, archivePlace(v.ID), sealed)
}

// ArchiveSize returns the size of the archive of a visit, in bytes. Error: store.ErrNotFound.
func (s *Service) ArchiveSize(ctx context.Context, v session.Visit) (int, error) {
	return s.Store.ArchiveSize(ctx, v.ID)
}

// make makes an archive and seals it.
func (s *Service) make(ctx context.Context, v session.Visit) ([]byte, error) {
	token, _, err := s.Tokens.IssueToken(ctx, v.ClientID, v.UserID)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	a := &archive{s: s, token: token, zip: zip.NewWriter(&out), at: s.Clock.Now()}
	if err := a.all(ctx, v); err != nil {
		return nil, err
	}
	if err := a.zip.Close(); err != nil {
		return nil, err
	}
	return s.Vault.Seal(ctx, v.UserID, archivePlace(v.ID), out.Bytes())
}

// archive is an archive that is being made.
type archive struct {
	s     *Service
	token string // of the person's session
	zip   *zip.Writer
	at    time.Time
	size  int
}

func (a *archive) add(name string, content []byte) error {
	if a.size += len(content); a.size > maxArchive {
		return fmt.Errorf("permissions: more than %d bytes", maxArchive)
	}
	w, err := a.zip.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: a.at.UTC()})
	if err == nil {
		_, err = w.Write(content)
	}
	return err
}

// all writes everything.
func (a *archive) all(ctx context.Context, v session.Visit) error {
	language, ok := words.Find(v.Language)
	if !ok {
		language = words.English
	}
	texts := words.In(language)
	var about strings.Builder
	at := a.at.In(a.s.Zone)
	for _, key := range []words.Key{"file.about", "file.json", "file.csv", "file.audit"} {
		about.WriteString(texts.Say(key, words.Values{Date: texts.Date(at), Time: texts.Clock(at), Zone: words.ZoneName(at.Location())}) + "\n\n")
	}
	if err := a.add("README.txt", []byte(about.String())); err != nil {
		return err
	}
	if _, err := a.list(ctx, "/consents", "json/consents"); err != nil {
		return err
	}
	if err := a.collections(ctx); err != nil {
		return err
	}
	if err := a.accounts(ctx); err != nil {
		return err
	}
	return a.audit(ctx, v)
}

// collections writes the collections and their products, as JSON and CSV.
func (a *archive) collections(ctx context.Context) error {
	pages, err := a.list(ctx, "/collections", "json/collections")
	if err != nil {
		return err
	}
	for _, page := range pages {
		var rows []struct {
			ID      string    `json:"collectionId"`
			Company string    `json:"company"`
			Status  string    `json:"status"`
			At      time.Time `json:"createdAt"`
		}
		if err := json.Unmarshal(page, &rows); err != nil {
			return fmt.Errorf("permissions: a list of collections does not parse: %w", err)
		}
		for _, c := range rows {
			if len(c.ID) < 8 {
				return errors.New("permissions: a list of collections has one without an id")
			}
			body, _, err := a.get(ctx, "/collections/"+c.ID+"/wealth/data")
			if err != nil || body == nil {
				if err != nil {
					return err
				}
				continue // there is no data, or not any more
			}
			if err := a.add("json/collections/"+c.ID+".json", body); err != nil {
				return err
			}
			products, err := product.ReadAll(body)
			if err != nil {
				return err
			}
			files, _, err := export.Write(export.Batch{ID: c.ID, Company: c.Company, ReadAt: c.At, Partial: c.Status == "COMPLETED_PARTIAL", Raw: body, Products: products}, export.CSV)
			if errors.Is(err, export.ErrNothing) {
				continue
			}
			if err != nil {
				return err
			}
			for _, f := range files {
				if err := a.add("csv/"+c.ID[:8]+"-"+f.Name, f.Content); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// accounts writes the lasting accounts and their transactions.
func (a *archive) accounts(ctx context.Context) error {
	pages, err := a.list(ctx, "/accounts", "json/accounts")
	if err != nil {
		return err
	}
	for _, page := range pages {
		var rows []struct {
			ID string `json:"accountId"`
		}
		if err := json.Unmarshal(page, &rows); err != nil {
			return fmt.Errorf("permissions: a list of accounts does not parse: %w", err)
		}
		for _, r := range rows {
			if _, err := a.list(ctx, "/accounts/"+r.ID+"/transactions", "json/accounts/"+r.ID+"-transactions"); err != nil {
				return err
			}
		}
	}
	return nil
}

// audit writes the part of the audit log that is about the person, and the key that
// verifies it.
func (a *archive) audit(ctx context.Context, v session.Visit) error {
	var log bytes.Buffer
	if err := a.s.Audit.ExportUser(ctx, &log, v.UserID); err != nil {
		return err
	}
	key, err := a.s.Audit.PublicKey(ctx)
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return err
	}
	if err := a.add("audit/audit.jsonl", log.Bytes()); err != nil {
		return err
	}
	return a.add("audit/public-key.pem", pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

// list gets all pages of a list, and writes each as a file.
func (a *archive) list(ctx context.Context, path, name string) (pages [][]byte, err error) {
	for n := 1; path != ""; n++ {
		body, next, err := a.get(ctx, path)
		if err != nil || body == nil {
			return pages, err
		}
		if err := a.add(fmt.Sprintf("%s-%d.json", name, n), body); err != nil {
			return pages, err
		}
		pages = append(pages, body)
		path = next
	}
	return pages, nil
}

// get asks the API for something as the person, and returns the body, and the path of the
// next page. The body is nil for what is not there.
func (a *archive) get(ctx context.Context, path string) (body []byte, next string, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, path, nil)
	if err != nil {
		return nil, "", err
	}
	r.RemoteAddr = "127.0.0.1:1"
	r.Header.Set("Authorization", "Bearer "+a.token)
	r.Header.Set("Insurely-Version", a.s.Version)
	answer := &answer{header: http.Header{}, status: http.StatusOK}
	a.s.api.ServeHTTP(answer, r)
	switch answer.status {
	case http.StatusOK:
	case http.StatusNotFound, http.StatusGone, http.StatusConflict:
		return nil, "", nil
	default:
		route, _, _ := strings.Cut(path, "?")
		return nil, "", fmt.Errorf("permissions: GET %s is answered with %d", strings.Join(strings.SplitN(route, "/", 3)[:2], "/"), answer.status)
	}
	if link := answer.header.Get("Link"); strings.Contains(link, `rel="next"`) {
		address, _, _ := strings.Cut(strings.TrimPrefix(link, "<"), ">")
		if u, err := url.Parse(address); err == nil {
			next = u.RequestURI()
		}
	}
	return answer.body.Bytes(), next, nil
}

// answer is an answer of the API in memory.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(status int) { a.status = status }

func (a *answer) Write(b []byte) (int, error) { return a.body.Write(b) }
