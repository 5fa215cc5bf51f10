//go:build !race

package household_test

const raceDetector = false
