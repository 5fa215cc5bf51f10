package look

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"

	"samla/internal/gzipped"
)

// AssetPath is what the paths of Assets begin with.
const AssetPath = "/pages/look/"

//go:embed assets
var files embed.FS

// Assets are the style sheets and scripts that all pages share. Every listener that shows
// pages serves them below AssetPath.
var Assets = shared()

func shared() *Bundle {
	read := func(name string) string {
		data, err := files.ReadFile("assets/" + name)
		if err != nil {
			panic(err) // the file is part of the program
		}
		return string(data)
	}
	dark := read("dark.css")
	begin := read("tokens.css") + "@media (prefers-color-scheme: dark) {\n:root:not([data-theme=\"light\"]) {\n" + dark + "}\n}\n:root[data-theme=\"dark\"] {\n" + dark + "}\n" + read("base.css")
	end := read("preferences.css")
	b := &Bundle{prefix: AssetPath}
	b.add("people.css", begin+read("people.css")+end)
	b.add("console.css", begin+read("console.css")+end)
	b.add("docs.css", begin+read("console.css")+read("docs.css")+end)
	b.add("look.js", read("look.js"))
	b.add("qrcode.js", read("qrcode.js"))
	return b
}

// Bundle are files that browsers keep for ever: the address of each has a hash of its
// content. Safe for concurrent use once it is made.
type Bundle struct {
	prefix string
	byName map[string]*file
	byPath map[string]*file
}

type file struct {
	address, kind string
	packed        []byte
	unpack        func() []byte // what packed holds
}

// NewBundle makes a bundle of files, served below a path such as "/connect/assets/".
func NewBundle(prefix string, from fs.FS, names ...string) (*Bundle, error) {
	b := &Bundle{prefix: prefix}
	for _, name := range names {
		data, err := fs.ReadFile(from, name)
		if err != nil {
			return nil, err
		}
		b.add(path.Base(name), string(data))
	}
	return b, nil
}

func (b *Bundle) add(name, text string) {
	b.keep(name, []byte(text), &file{packed: gzipped.Compress([]byte(text)), unpack: func() []byte { return []byte(text) }})
}

// AddPacked adds a file that is compressed already, in gzip. It is unpacked when somebody
// asks for it plain first.
func (b *Bundle) AddPacked(name string, packed []byte) {
	b.keep(name, packed, &file{packed: packed, unpack: sync.OnceValue(func() []byte {
		r, err := gzip.NewReader(bytes.NewReader(packed))
		if err != nil {
			panic(err) // the file is part of the program
		}
		plain, err := io.ReadAll(r)
		if err != nil {
			panic(err)
		}
		return plain
	})})
}

// keep adds a file whose address has a hash of something that changes with its content.
func (b *Bundle) keep(name string, hashed []byte, f *file) {
	if b.byName == nil {
		b.byName, b.byPath = map[string]*file{}, map[string]*file{}
	}
	sum := sha256.Sum256(hashed)
	extension := path.Ext(name)
	f.address = b.prefix + strings.TrimSuffix(name, extension) + "-" + hex.EncodeToString(sum[:6]) + extension
	f.kind = mime.TypeByExtension(extension)
	switch extension { // the machine may call them otherwise
	case ".css":
		f.kind = "text/css; charset=utf-8"
	case ".js":
		f.kind = "text/javascript; charset=utf-8"
	}
	b.byName[name], b.byPath[f.address] = f, f
}

// Address returns the address of a file by its name. It panics for a name that there is
// not: names are part of the program.
func (b *Bundle) Address(name string) string {
	f := b.byName[name]
	if f == nil {
		panic("look: there is no file " + name)
	}
	return f.address
}

// Size returns how many bytes a file has plain and in gzip.
func (b *Bundle) Size(name string) (plain, packed int) {
	return len(b.byName[name].unpack()), len(b.byName[name].packed)
}

// ServeHTTP answers with a file. Without the hash in its address, a file is of use to a
// program that looks whether this server answers; browsers ask whether it has changed.
func (b *Bundle) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f, kept := b.byPath[r.URL.Path], true
	if f == nil {
		f, kept = b.byName[strings.TrimPrefix(r.URL.Path, b.prefix)], false
	}
	if f == nil || r.Method != http.MethodGet && r.Method != http.MethodHead {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", f.kind)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Vary", "Accept-Encoding")
	body := f.packed
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
	} else {
		body = f.unpack()
	}
	if kept {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	} else if Unchanged(w, r, body) {
		return
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if r.Method == http.MethodGet {
		_, _ = w.Write(body)
	}
}
