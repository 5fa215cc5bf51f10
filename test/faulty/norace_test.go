//go:build !race

package faulty

const raceDetector = false
