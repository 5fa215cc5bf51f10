// Package operator defines who may work with the console: operators, their roles, and the
// pure rules of signing in. Package operators keeps them, package console shows pages to
// them.
package operator

import (
	"fmt"
	"regexp"
	"slices"
)

// Role says what an operator may do. A role includes those before it.
type Role string

// The roles.
const (
	Viewer Role = "viewer" // sees
	Acting Role = "operator"
	Admin  Role = "admin"
)

// Roles are all roles, from the least to the most.
var Roles = []Role{Viewer, Acting, Admin}

// ParseRole returns the role of that name.
func ParseRole(name string) (Role, error) {
	if r := Role(name); slices.Contains(Roles, r) {
		return r, nil
	}
	return "", fmt.Errorf("the role must be one of %q, not %q", Roles, name)
}

// Covers reports whether the role includes another one. A role that there is not covers
// nothing, and nothing covers it.
func (r Role) Covers(needs Role) bool {
	has, wanted := slices.Index(Roles, r), slices.Index(Roles, needs)
	return has >= 0 && wanted >= 0 && has >= wanted
}

// Action is something that an operator does in the console.
type Action string

// The actions.
const (
	See        Action = "see"        // any page
	Act        Action = "act"        // retry, replay, pause, resume, tell people something, take off the list
	Administer Action = "administer" // keys, clients, operators
)

// Needs returns the least role for an action, or "" for one that there is not.
func (a Action) Needs() Role {
	return map[Action]Role{See: Viewer, Act: Acting, Administer: Admin}[a]
}

// May reports whether an operator with this role may do something.
func (r Role) May(a Action) bool { return r.Covers(a.Needs()) }

// Operator is a person who works with the console.
type Operator struct {
	ID   string // UUID version 7
	Name string // chosen by who made the account, such as "maria.ek"; unique
	Role Role
}

var name = regexp.MustCompile(`^[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?$`)

// CheckName returns an error for a name that an operator cannot have. Names have one form,
// so that two of them never look the same.
func CheckName(s string) error {
	if !name.MatchString(s) {
		return fmt.Errorf("the name of an operator has 1 to 64 of a to z, 0 to 9, dots, hyphens and underscores, and begins and ends with a letter or digit; %q is none", s)
	}
	return nil
}
