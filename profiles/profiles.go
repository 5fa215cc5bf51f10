// Package profiles holds what public sources say about real banks: a JSON file each, in
// the form of schema.json. It has no certificates and no keys. Package profile reads it.
package profiles

import "embed"

// Files are the profiles and their schema.
//
//go:embed *.json
var Files embed.FS
