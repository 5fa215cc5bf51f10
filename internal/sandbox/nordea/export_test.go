package nordea

import "samla/internal/sandbox/bankpage"

// Host returns the bank as its page sees it.
func Host(b *Bank) bankpage.Host { return host{b} }

// ParseSignature parses the header Signature.
func ParseSignature(header string) (keyID string, headers []string, value []byte, ok bool) {
	s, ok := parseSignature(header)
	return s.keyID, s.headers, s.value, ok
}

// ParseKey reports whether a continuation key is one of the bank.
func ParseKey(b *Bank, key string) bool {
	var w window
	return b.pageKey.Open(key, &w)
}

// FailJournal makes every later change fail.
func (b *Bank) FailJournal() { _ = b.journal.Close() }
