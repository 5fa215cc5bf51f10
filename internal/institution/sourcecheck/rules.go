package sourcecheck

// rules are the checks in the order of the report.
var rules = []struct{ name, says string }{
	{"credentials", "without our credentials every call is answered 401 UNAUTHORIZED"},
	{"institutions", "GET /v1/institutions lists protocol 1 and institutions that can be used"},
	{"unknown-institution", "a login at an institution that is not offered is answered 404 UNKNOWN_INSTITUTION"},
	{"unknown-session", "calls for a session that is not known are answered 404 UNKNOWN_SESSION; DELETE 204"},
	{"bad-request", "a request that breaks the protocol is answered 400 and has no effect"},
	{"login", "POST /v1/sessions begins a session with an id of at least 128 bits and a turn"},
	{"request-ids", "a repeated request is answered as before, and acts once"},
	{"unknown-members", "members of a request that are not known are ignored"},
	{"turn-needed", "pages before the login is done are answered 409 TURN_NEEDED"},
	{"turns", "each turn has the form of its type"},
	{"turn-ids", "a turn that is told again unchanged has the same id, another one another id"},
	{"questions", "each question has an id of its own and can be answered once; then 409 QUESTION_OVER"},
	{"in", "the login ends with the turn IN"},
	{"pages", "pages have the form of pages and come to an end"},
	{"cursors", "a cursor gives the same page each time"},
	{"products", "products, accounts and what is missing have the documented form"},
	{"end", "DELETE ends the session, also when it is repeated"},
	{"errors", "a refusal has a documented status and code, as JSON"},
	{"sizes", "an answer has at most 1 MiB, a page 16 MiB and 200 000 elements; all pages keep the limits of a person"},
	{"times", "an answer comes within 15 seconds, a page within 60"},
	{"personal-data", "ids, cursors and messages of errors have no personal data"},
}

// always are the checks of every exchange.
var always = []string{"errors", "sizes", "times", "personal-data"}
