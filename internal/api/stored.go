package api

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"samla/internal/gzipped"
)

// Stored is an answer that is stored in gzip.
type Stored interface {
	// Tag is the same as long as the answer is; it has no quotes.
	Tag() string
	// Packed returns the answer in gzip.
	Packed(ctx context.Context) ([]byte, error)
	// Plain returns the answer, or nil if it is too large to hold.
	Plain(ctx context.Context) ([]byte, error)
}

// WriteStored answers 200 with a stored JSON text, in gzip if the client accepts it,
// or 304 if the client has it (RFC 9110 8.8.3, 13.1.2).
func (c *Call) WriteStored(s Stored) error {
	h := c.w.Header()
	h["Vary"] = append(h["Vary"], "Accept-Encoding")
	// The tag is weak: both encodings have it.
	tag := `W/"` + s.Tag() + `"`
	if matches(c.r.Header["If-None-Match"], tag) {
		h["Etag"] = []string{tag}
		c.status = http.StatusNotModified
		c.w.WriteHeader(http.StatusNotModified)
		return nil
	}
	if c.rewrite == nil && acceptsGzip(c.r.Header["Accept-Encoding"]) {
		packed, err := s.Packed(c.Context())
		if err != nil {
			return err
		}
		h["Etag"], h["Content-Encoding"] = []string{tag}, gzipEncoding
		return c.Write(http.StatusOK, packed)
	}
	plain, err := s.Plain(c.Context())
	if err != nil {
		return err
	}
	if plain == nil {
		packed, err := s.Packed(c.Context())
		if err != nil {
			return err
		}
		if c.rewrite == nil {
			h["Etag"] = []string{tag}
			return c.writeDecompressed(packed)
		}
		if plain, err = gzipped.Plain(packed); err != nil {
			return err
		}
	}
	h["Etag"] = []string{tag}
	return c.Write(http.StatusOK, plain)
}

var gzipEncoding = []string{"gzip"}

// writeDecompressed answers with a text in gzip, decompressed in pieces: a client that
// reads slowly holds the packed text only.
func (c *Call) writeDecompressed(packed []byte) error {
	size, err := gzipped.Size(packed)
	if err != nil {
		return err
	}
	h := c.w.Header()
	h["Content-Type"], h["Content-Length"] = c.contentType(), []string{strconv.Itoa(size)}
	c.status = http.StatusOK
	c.w.WriteHeader(http.StatusOK)
	c.incomplete = gzipped.Decompress(packed, func(piece []byte) error {
		c.setDeadline()
		_, err := c.w.Write(piece)
		return err
	}) != nil
	return nil
}

// matches reports whether a list of tags has a tag, or is *.
func matches(lists []string, tag string) bool {
	for _, list := range lists {
		for t := range strings.SplitSeq(list, ",") {
			t = strings.TrimSpace(t)
			if t == "*" || t == tag || t == strings.TrimPrefix(tag, "W/") {
				return true
			}
		}
	}
	return false
}

// acceptsGzip reports whether a client accepts gzip (RFC 9110 12.5.3).
func acceptsGzip(lists []string) bool {
	accepts := false
	for _, list := range lists {
		for coding := range strings.SplitSeq(list, ",") {
			name, parameters, _ := strings.Cut(coding, ";")
			_, weight, given := strings.Cut(parameters, "=")
			q, err := strconv.ParseFloat(strings.TrimSpace(weight), 32)
			allowed := !given || err == nil && q > 0
			switch name = strings.ToLower(strings.TrimSpace(name)); {
			case name == "gzip", name == "x-gzip":
				return allowed
			case name == "*":
				accepts = allowed
			}
		}
	}
	return accepts
}
