package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"tailscale.com/types/key"
)

// afterFailure is how long an attacker waits when it was refused.
const afterFailure = 10 * time.Millisecond

type floodResult struct {
	// Bytes that were sent, those of TLS included.
	Bytes int64 `json:"bytes"`
	// Connections opened, and attempts that failed.
	Opened int64 `json:"opened"`
	Failed int64 `json:"failed"`
	// LetIn counts logins that the relay completed.
	LetIn int64 `json:"letIn"`
	// Answered counts answers to STUN requests.
	Answered int64 `json:"answered"`
	// BacklogSeconds is how long the relay was busy after all had closed.
	BacklogSeconds float64 `json:"backlogSeconds"`
}

// flooder is what all attacks share. Its connections end with the process.
type flooder struct {
	settings
	address string
	isTLS   bool
	// serverKey is the relay's.
	serverKey key.NodePublic
	counts    struct {
		bytes, opened, failed, letIn, answered atomic.Int64
	}
	mu    sync.Mutex
	conns map[net.Conn]bool
	over  atomic.Bool
}

// attacks by name. Each prepares, and returns what starts the flood: nil if it
// runs already.
var attacks = map[string]func(*flooder) (func(), error){
	"none":         func(*flooder) (func(), error) { return nil, nil },
	"logins-once":  loginsAtOnce,
	"refused":      refusedLogins,
	"nested-info":  nestedInfo,
	"keyed-info":   keyedInfo,
	"ws-empty":     webSocketFlood(emptyMessages),
	"ws-bytes":     webSocketFlood(byteMessages),
	"ws-fragments": webSocketFlood(fragments),
	"ws-pings":     webSocketFlood(pings),
	"tls-records":  tinyRecords,
	"empty-frames": emptyFrames,
	"duplicates":   duplicates,
	"mesh":         announce,
	"stun":         stunRequests,
	"slow":         slowInEachPhase,
	"zero-windows": zeroWindows,
	"dribble":      dribble,
	"resets":       resets,
	"half-open":    halfOpen,
	"handshakes":   handshakes,
	"logins":       loginStorm,
	"watchers":     watcherChurn,
}

// flood attacks a relay, cheaply: with bytes made beforehand.
func flood(s settings) (any, error) {
	attack := attacks[s.attack]
	if attack == nil {
		return nil, fmt.Errorf("-attack %q: unknown", s.attack)
	}
	f := &flooder{settings: s, conns: map[net.Conn]bool{}}
	if u, err := url.Parse(s.url); err != nil {
		return nil, err
	} else {
		f.address = net.JoinHostPort("127.0.0.1", u.Port())
		f.isTLS = u.Scheme == "https"
	}
	start, err := attack(f)
	if err != nil {
		return nil, err
	}
	say("ready", nil)
	waitForBegin()
	for _, count := range []*atomic.Int64{&f.counts.bytes, &f.counts.opened, &f.counts.failed, &f.counts.answered} {
		count.Store(0)
	}
	if start != nil {
		start()
	}
	s.wait()
	f.over.Store(true)
	result := floodResult{
		Bytes:    f.counts.bytes.Load(),
		Opened:   f.counts.opened.Load(),
		Failed:   f.counts.failed.Load(),
		LetIn:    f.counts.letIn.Load(),
		Answered: f.counts.answered.Load(),
	}
	if s.backlog {
		f.closeAll()
		result.BacklogSeconds = untilIdle(s.pid)
	}
	return result, nil
}

var stdin = bufio.NewReader(os.Stdin)

// waitForBegin waits for a line on standard input.
func waitForBegin() {
	stdin.ReadString('\n')
}

// each runs some of these concurrently, over and over.
func (f *flooder) each(count int, attack func() error) {
	for range count {
		go func() {
			for !f.over.Load() {
				if attack() != nil {
					f.counts.failed.Add(1)
					time.Sleep(afterFailure)
				}
			}
		}()
	}
}

// eachPaced does the same at most so many times a second, all together.
func (f *flooder) eachPaced(count int, perSecond float64, attack func() error) {
	began := time.Now()
	var started atomic.Int64
	f.each(count, func() error {
		at := time.Duration(float64(started.Add(1)-1) / perSecond * float64(time.Second))
		time.Sleep(time.Until(began.Add(at)))
		return attack()
	})
}

// together runs these concurrently, some at a time, and returns the first error.
func together(count, atOnce int, do func(at int) error) error {
	errors := make(chan error, count)
	slots := make(chan bool, atOnce)
	for at := range count {
		slots <- true
		go func() {
			errors <- do(at)
			<-slots
		}()
	}
	var first error
	for range count {
		if err := <-errors; err != nil && first == nil {
			first = err
		}
	}
	return first
}

// repeat writes the same bytes until the connection or the flood ends.
func (f *flooder) repeat(to io.Writer, bytes []byte) error {
	for !f.over.Load() {
		if _, err := to.Write(bytes); err != nil {
			return err
		}
	}
	return nil
}

func (f *flooder) closeAll() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for conn := range f.conns {
		conn.Close()
	}
}

// untilIdle is how many seconds the process stays busy: until it uses less than
// a tenth of a processor for 300 ms.
func untilIdle(pid int) float64 {
	began := time.Now()
	lastBusy := began
	used := usageNow(pid).relay
	for time.Since(lastBusy) < 300*time.Millisecond && time.Since(began) < time.Minute {
		time.Sleep(100 * time.Millisecond)
		now := usageNow(pid).relay
		if now-used > 0.015 {
			lastBusy = time.Now()
		}
		used = now
	}
	return lastBusy.Sub(began).Seconds()
}
