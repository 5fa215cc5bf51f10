package words

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// sameAs are the texts that are those of another key: the reasons of a consent that failed
// which a collection has too.
var sameAs = map[Key]Key{
	"ce.AUTHENTICATION_TIMEOUT":   "st.AUTHENTICATION_TIMEOUT",
	"ce.AUTHENTICATION_CANCELLED": "st.AUTHENTICATION_CANCELLED",
	"ce.AUTHENTICATION_CONFLICT":  "st.AUTHENTICATION_CONFLICT",
	"ce.AUTHENTICATION_MISMATCH":  "st.AUTHENTICATION_MISMATCH",
	"ce.AUTHENTICATION_FAILED":    "st.AUTHENTICATION_ERROR",
	"ce.BANK_ERROR":               "st.THIRD_PARTY_ERROR",
}

// resolve returns the key that has the text of a key.
func resolve(key Key) Key {
	if !strings.HasPrefix(string(key), "ce.") {
		return key
	}
	if dot := strings.LastIndexByte(string(key), '.'); dot > 0 {
		if other, ok := sameAs[key[:dot]]; ok {
			return other + key[dot:]
		}
	}
	return key
}

// Keys returns the keys of the texts of a language, sorted.
func (t *Texts) Keys() []Key {
	keys := make([]Key, 0, len(t.texts))
	for key := range t.texts {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// load parses all files. They are part of the program: what is wrong in them is a fault of
// the program.
func load() map[Language]*Texts {
	loaded := map[Language]*Texts{}
	for _, l := range Languages {
		data, err := files.ReadFile("texts/" + string(l) + ".json")
		if err != nil {
			panic(err)
		}
		var plain map[Key]string
		if err := json.Unmarshal(data, &plain); err != nil {
			panic(fmt.Errorf("words: texts/%s.json: %w", l, err))
		}
		t := &Texts{Language: l, texts: make(map[Key]text, len(plain))}
		for key, whole := range plain {
			t.texts[key] = parse(whole)
		}
		loaded[l] = t
	}
	return loaded
}

// parse cuts a text at its placeholders.
func parse(whole string) text {
	t := text{whole: whole}
	rest := whole
	for {
		literal, after, found := strings.Cut(rest, "{")
		name, remains, closed := strings.Cut(after, "}")
		if !found || !closed {
			t.parts = append(t.parts, rest)
			return t
		}
		t.parts = append(t.parts, literal, name)
		rest = remains
	}
}
