package main

import (
	"fmt"
	"regexp"
	"strings"
)

// Floor is what ARCHITECTURE.md says of a package.
type Floor struct {
	Line   int
	Number int // the floor; tests are above all others
	Island bool
}

// tests is the floor of the packages that only tests import.
const tests = 100

// Floors is the plan of ARCHITECTURE.md: packages by their names in it.
type Floors map[string]Floor

var (
	planRE = regexp.MustCompile("(?ms)^```floors\n(.*?)^```$")
	lineRE = regexp.MustCompile(`^(\d+|T)? +([a-z0-9/]+)  +(\S.*)$`)
)

// ReadFloors reads the block of ARCHITECTURE.md that is marked as floors. Each line
// names a package and says what it owns; a number before it begins a floor, and T
// the packages that only tests import. A name covers the packages below it, unless
// they have a line of their own.
func ReadFloors(markdown string) (Floors, error) {
	at := planRE.FindStringSubmatchIndex(markdown)
	if at == nil {
		return nil, fmt.Errorf("%s: no block of floors", floorsFile)
	}
	first := 1 + strings.Count(markdown[:at[2]], "\n")
	plan, floor := Floors{}, -1
	for i, line := range strings.Split(strings.TrimSuffix(markdown[at[2]:at[3]], "\n"), "\n") {
		parts := lineRE.FindStringSubmatch(line)
		if parts == nil {
			return nil, fmt.Errorf("%s:%d: not a line of the form: FLOOR PACKAGE  WHAT IT OWNS", floorsFile, first+i)
		}
		switch parts[1] {
		case "":
		case "T":
			floor = tests
		default:
			if _, err := fmt.Sscan(parts[1], &floor); err != nil {
				return nil, err
			}
		}
		if floor < 0 {
			return nil, fmt.Errorf("%s:%d: %s is on no floor", floorsFile, first+i, parts[2])
		}
		if _, twice := plan[parts[2]]; twice {
			return nil, fmt.Errorf("%s:%d: %s is on two floors", floorsFile, first+i, parts[2])
		}
		plan[parts[2]] = Floor{Line: first + i, Number: floor, Island: strings.HasPrefix(parts[3], "island:")}
	}
	return plan, nil
}
