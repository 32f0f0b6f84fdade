package main

import (
	"encoding/binary"
	"slices"
	"sync"
	"time"
)

// stampLen is the size of a packet's time stamp.
const stampLen = 8

var started = time.Now()

// stamp writes the current time to the start of a packet.
func stamp(packet []byte) {
	binary.LittleEndian.PutUint64(packet, uint64(time.Since(started)))
}

// age is the time since this process stamped the packet.
func age(packet []byte) time.Duration {
	return time.Since(started) - time.Duration(binary.LittleEndian.Uint64(packet))
}

// ages collects durations from several goroutines.
type ages struct {
	mu  sync.Mutex
	all []time.Duration
}

// distribution summarizes durations, in microseconds.
type distribution struct {
	Count int     `json:"count"`
	P50   float64 `json:"p50"`
	P90   float64 `json:"p90"`
	P99   float64 `json:"p99"`
	Max   float64 `json:"max"`
}

func (a *ages) add(some []time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.all = append(a.all, some...)
}

// distribution sorts all durations: exact, no buckets.
func (a *ages) distribution() distribution {
	a.mu.Lock()
	defer a.mu.Unlock()
	slices.Sort(a.all)
	at := func(share float64) float64 {
		if len(a.all) == 0 {
			return 0
		}
		index := min(len(a.all)-1, int(share*float64(len(a.all))))
		return float64(a.all[index]) / float64(time.Microsecond)
	}
	return distribution{Count: len(a.all), P50: at(0.5), P90: at(0.9), P99: at(0.99), Max: at(1)}
}
