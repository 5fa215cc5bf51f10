package nordea

import "samla/internal/sandbox/bankpage"

// Host returns the bank as its page sees it.
func Host(b *Bank) bankpage.Host { return host{b} }
