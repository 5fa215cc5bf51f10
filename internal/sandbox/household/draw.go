package household

import (
	"crypto/sha256"
	"encoding/binary"
)

// prefix begins the text of every draw. Another prefix gives everybody another household.
const prefix = "samla-demo-1/"

// draws are the random numbers of a person (docs/reference/households.md 4.1): each has a
// label of its own, so that a new draw changes none of the others. The value is the
// personal number.
type draws string

// key returns the number of a label.
func (d draws) key(label string) uint64 { return keyOf(string(d) + "/" + label) }

// commonKey returns the number of a label that is the same for all persons.
func commonKey(label string) uint64 { return keyOf(label) }

func keyOf(text string) uint64 {
	var buffer [96]byte
	sum := sha256.Sum256(append(append(buffer[:0], prefix...), text...))
	return binary.BigEndian.Uint64(sum[:8])
}

// between returns one of low, low+step, … that is at most high. high is at least low.
func (d draws) between(label string, low, high, step int64) int64 {
	return low + step*int64(d.key(label)%uint64((high-low)/step+1))
}

// percent returns one of 0 to 99.
func (d draws) percent(label string) int { return int(d.key(label) % 100) }

// choice is a value and its weight in oneOf.
type choice struct{ value, weight int }

// oneOf returns the value of one of the choices.
func (d draws) oneOf(label string, choices ...choice) int {
	sum := 0
	for _, c := range choices {
		sum += c.weight
	}
	at := int(d.key(label) % uint64(sum))
	for _, c := range choices {
		if at -= c.weight; at < 0 {
			return c.value
		}
	}
	panic("household: weights do not add up")
}
