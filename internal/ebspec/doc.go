// Package ebspec validates requests and answers of Enable Banking's API. The connector
// and the simulated gateway share no code; the tests of both put this package between
// them, so that a mistake is found on the side that made it.
//
// Enable Banking's own OpenAPI file has no licence, so that the project holds no copy.
// The judge is document.json: a document of ours, written from the facts in
// docs/reference/families.md 11.1, with the rules that a schema cannot state in
// rules.go. It names every member, so that one that the API does not have is refused.
// Where a person has put the official file into the folder of package specs, as
// enablebanking/openapi.json, it judges each exchange too.
//
// Only tests import this package.
package ebspec
