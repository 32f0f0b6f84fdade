package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// ticksPerSecond is the unit of /proc, the same on all current Linux systems.
const ticksPerSecond = 100

// usage is CPU time in seconds: of the relays, this program, and the whole
// machine.
type usage struct {
	at                   time.Time
	relay, load, machine float64
}

// window is the CPU time of a measured window.
type window struct {
	Seconds         float64 `json:"seconds"`
	CPUSeconds      float64 `json:"cpuSeconds"`
	LoadCPUSeconds  float64 `json:"loadCpuSeconds"`
	OtherCPUSeconds float64 `json:"otherCpuSeconds"`
}

// pidList is a flag of comma-separated process IDs.
type pidList []int

func (l *pidList) String() string { return fmt.Sprint(*l) }

func (l *pidList) Set(text string) error {
	for _, word := range strings.Split(text, ",") {
		pid, err := strconv.Atoi(word)
		if err != nil {
			return err
		}
		*l = append(*l, pid)
	}
	return nil
}

func usageNow(pids ...int) usage {
	now := usage{at: time.Now(), load: processSeconds("self"), machine: machineSeconds()}
	for _, pid := range pids {
		if pid > 0 {
			now.relay += processSeconds(strconv.Itoa(pid))
		}
	}
	return now
}

// since returns the window from then to now.
func (now usage) since(then usage) window {
	relay, load := now.relay-then.relay, now.load-then.load
	return window{
		Seconds:         now.at.Sub(then.at).Seconds(),
		CPUSeconds:      relay,
		LoadCPUSeconds:  load,
		OtherCPUSeconds: max(0, now.machine-then.machine-relay-load),
	}
}

// processSeconds is user and system time of all threads, exited ones
// included; 0 without /proc.
func processSeconds(pid string) float64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%s/stat", pid))
	if err != nil {
		return 0
	}
	// The name, in parentheses, may contain anything; fields are counted from its end.
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	return seconds(fields, 11, 12)
}

// machineSeconds is the non-idle time of all CPUs.
func machineSeconds() float64 {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0
	}
	line, _, _ := strings.Cut(string(text), "\n")
	// user nice system (idle iowait) irq softirq steal
	return seconds(strings.Fields(line), 1, 2, 3, 6, 7, 8)
}

func seconds(fields []string, at ...int) float64 {
	ticks := 0
	for _, index := range at {
		if index < len(fields) {
			n, _ := strconv.Atoi(fields[index])
			ticks += n
		}
	}
	return float64(ticks) / ticksPerSecond
}
