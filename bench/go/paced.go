package main

import (
	"encoding/binary"
	"sync"
	"sync/atomic"
	"time"

	"tailscale.com/derp"
	"tailscale.com/derp/derphttp"
)

const (
	// pacedGrace is how long packets may take after the measured window.
	pacedGrace = 2 * time.Second
	// pacedSilence ends it when nothing comes any more.
	pacedSilence = time.Second
)

type pacedResult struct {
	// Age of the packets that arrived.
	Age distribution `json:"ageMicros"`
	// Lost packets have not arrived within the grace.
	Lost int `json:"lost"`
	// Broken counts errors of the connections, which are then dialled again.
	Broken int64 `json:"broken"`
}

// pace is the timetable of a sender. Ages count from it, not from when a packet
// was really sent: a late sender does not hide the time that it had to wait.
type pace struct {
	began    time.Time
	interval time.Duration
}

func (p pace) timeOf(number int) time.Time {
	return p.began.Add(time.Duration(number) * p.interval)
}

// arrivals are the times at which packets came, by number.
type arrivals struct {
	mu sync.Mutex
	at map[int]time.Time
}

// paced sends packets on a timetable from one client to another, and measures
// their ages.
func paced(s settings) (any, error) {
	dialer, err := newDialer(s)
	if err != nil {
		return nil, err
	}
	clients, err := dialer.loginAll(2, 2)
	if err != nil {
		return nil, err
	}
	from, to := clients[0], clients[1]
	came := &arrivals{at: map[int]time.Time{}}
	var broken atomic.Int64
	go came.receive(to, &broken)
	timetable := pace{began: time.Now(), interval: time.Duration(float64(time.Second) / s.rate)}
	go timetable.send(from, to, s.size, &broken)
	time.Sleep(s.warmup)
	say("ready", nil)
	waitForBegin()
	first := timetable.next()
	broken.Store(0)
	s.wait()
	last := timetable.next()
	came.waitFor(first, last)
	result := came.result(timetable, first, last)
	result.Broken = broken.Load()
	return result, nil
}

// next is the number of the next packet on the timetable.
func (p pace) next() int {
	return int(time.Since(p.began)/p.interval) + 1
}

func (p pace) send(from, to *derphttp.Client, size int, broken *atomic.Int64) {
	packet := make([]byte, size)
	for number := 0; ; number++ {
		time.Sleep(time.Until(p.timeOf(number)))
		binary.LittleEndian.PutUint64(packet, uint64(number))
		if from.Send(to.SelfPublicKey(), packet) != nil {
			broken.Add(1)
			time.Sleep(10 * time.Millisecond)
		}
	}
}

func (a *arrivals) receive(to *derphttp.Client, broken *atomic.Int64) {
	for {
		message, err := to.Recv()
		if err != nil {
			broken.Add(1)
			time.Sleep(10 * time.Millisecond)
			continue
		}
		if packet, ok := message.(derp.ReceivedPacket); ok {
			a.mu.Lock()
			a.at[int(binary.LittleEndian.Uint64(packet.Data))] = time.Now()
			a.mu.Unlock()
		}
	}
}

// waitFor returns when all of these packets have come, or the grace is over.
func (a *arrivals) waitFor(first, last int) {
	now := time.Now()
	fewest, since := last-first+1, now
	for end := now.Add(pacedGrace); now.Before(end) && now.Sub(since) < pacedSilence; now = time.Now() {
		missing := a.missing(first, last)
		if missing == 0 {
			return
		}
		if missing < fewest {
			fewest, since = missing, now
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func (a *arrivals) missing(first, last int) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	missing := 0
	for number := first; number < last; number++ {
		if _, ok := a.at[number]; !ok {
			missing++
		}
	}
	return missing
}

func (a *arrivals) result(timetable pace, first, last int) pacedResult {
	result := pacedResult{Lost: a.missing(first, last)}
	a.mu.Lock()
	defer a.mu.Unlock()
	var all ages
	for number := first; number < last; number++ {
		if came, ok := a.at[number]; ok {
			all.all = append(all.all, came.Sub(timetable.timeOf(number)))
		}
	}
	result.Age = all.distribution()
	return result
}
