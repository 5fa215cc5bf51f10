package wire

import (
	"strings"
	"unicode"
)

// memberNames holds the name of every member that a schema of the document
// declares.
type memberNames struct {
	exact  map[string]bool
	folded map[string]bool
	opaque map[string]bool // members with x-opaque: their values are not looked into
}

func newMemberNames() memberNames {
	return memberNames{map[string]bool{}, map[string]bool{}, map[string]bool{}}
}

func (n memberNames) add(name string) {
	n.exact[name] = true
	n.folded[fold(name)] = true
}

// isVariant reports whether a name is not declared, but equals a declared one
// under case folding.
func (n memberNames) isVariant(name string) bool { return !n.exact[name] && n.folded[fold(name)] }

// removeVariants removes from a decoded JSON value the members whose names are
// variants, and reports whether there were any.
func (n memberNames) removeVariants(value any) bool {
	removed := false
	switch v := value.(type) {
	case []any:
		for _, element := range v {
			removed = n.removeVariants(element) || removed
		}
	case map[string]any:
		for name, member := range v {
			if n.isVariant(name) {
				delete(v, name)
				removed = true
				continue
			}
			if !n.opaque[name] {
				removed = n.removeVariants(member) || removed
			}
		}
	}
	return removed
}

// fold maps all names that strings.EqualFold finds equal to one text.
func fold(name string) string {
	return strings.Map(func(r rune) rune {
		least := r
		for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
			least = min(least, next)
		}
		return least
	}, name)
}
