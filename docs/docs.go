// Package docs holds the documentation as it is in this folder. Package reference serves it.
package docs

import "embed"

// Files are the documents and what they link to.
//
//go:embed *.md *.svg decisions flows reference source-protocol
var Files embed.FS
