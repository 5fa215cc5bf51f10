package bench

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"time"
)

// clockTick is the unit of processor times in /proc: USER_HZ is 100 on every Linux.
const clockTick = 10 * time.Millisecond

// cpuTime returns the processor time that a process has used. Where there is no /proc,
// it is zero.
func cpuTime(pid int) time.Duration {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	// The second field is the name in parentheses, which may contain anything.
	fields := bytes.Fields(data[bytes.LastIndexByte(data, ')')+1:])
	var ticks int64
	for _, i := range []int{11, 12} { // utime and stime
		if i < len(fields) {
			n, _ := strconv.ParseInt(string(fields[i]), 10, 64)
			ticks += n
		}
	}
	return time.Duration(ticks) * clockTick
}

// peakMemory returns the most memory that this process has had resident, in MiB. Where
// there is no /proc, it is zero.
func peakMemory() float64 {
	data, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range bytes.Lines(data) {
		value, found := bytes.CutPrefix(line, []byte("VmHWM:"))
		if !found {
			continue
		}
		if fields := bytes.Fields(value); len(fields) > 0 {
			kib, _ := strconv.ParseFloat(string(fields[0]), 64)
			return kib / 1024
		}
	}
	return 0
}
