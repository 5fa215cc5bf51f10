// Package source serves the sandbox's institutions that a person logs in to by dialogue:
// the demo company se-demo, an insurer, a broker, a lender, a pension company, a bank with
// security tokens and a public pension. It is the server side of the source protocol
// (docs/source-protocol/README.md), written from that document alone: it shares no code
// with the connector that calls it.
//
// A login is a script, a list of steps (package-private type step). The institution, the
// login method and the person decide it, so it is the same each time. machine.go has the
// rules: state, event and time make the next state. Service stores the sessions, in memory
// and optionally in a file, and starts orders at the sandbox's BankID. The handlers are in
// http.go (the protocol), inbox.go (what the person does elsewhere: e-mail, app, page),
// device.go (what the person's device calls) and operator.go (faults).
//
// docs/sandbox.md lists the persons and what they do; Persons returns the same list.
package source
