// Package enablebanking simulates Enable Banking, a licensed gateway to the banks of
// many countries: a directory of banks, its own page on which the person logs in and
// chooses accounts, sessions, and the data of accounts. The customers, accounts and
// ledgers are those of package persona; each bank has its own.
//
// It is written from docs/reference/families.md 11.1 and 15.4, independently of our
// connector. What the facts leave open is a choice of the sandbox: it is strict where a
// real gateway might be. Package sandbox mounts it at /enablebanking.
package enablebanking
