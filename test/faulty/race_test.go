//go:build race

package faulty

// raceDetector says that the race detector multiplies the memory that is used.
const raceDetector = true
