// Package enablebanking implements package institution for the banks behind Enable
// Banking, a licensed gateway. One Gateway has one application there, and opens each bank
// of its directory that the configuration names. Source: docs/reference/families.md 11.1.
//
// The person signs on the gateway's page. The gateway answers with a code, which is
// exchanged for a session: the session is the consent. An account is read by a uid that is
// valid in its session only; its key is its identification hash, which lasts.
//
// It writes strictly and reads leniently. A member without a value comes as null as often
// as it is left out.
package enablebanking
