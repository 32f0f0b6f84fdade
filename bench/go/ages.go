package main

import (
	"encoding/binary"
	"slices"
	"sync"
	"time"
)

// stampLen is what a packet's time stamp takes.
const stampLen = 8

var started = time.Now()

// stamp writes the present time to the start of a packet.
func stamp(packet []byte) {
	binary.LittleEndian.PutUint64(packet, uint64(time.Since(started)))
}

// age is how long ago a packet was stamped, by this process.
func age(packet []byte) time.Duration {
	return time.Since(started) - time.Duration(binary.LittleEndian.Uint64(packet))
}

// ages collects durations of several goroutines.
type ages struct {
	mu  sync.Mutex
	all []time.Duration
}

// distribution is what is told of durations, in microseconds.
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

// distribution sorts what was collected: exact, no buckets.
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
