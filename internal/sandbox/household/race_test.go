//go:build race

package household_test

// raceDetector says that the race detector makes the tests many times slower.
const raceDetector = true
