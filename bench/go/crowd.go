package main

import (
	"bufio"
	"crypto/sha256"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go4.org/mem"
	"tailscale.com/derp"
	"tailscale.com/derp/derphttp"
	"tailscale.com/types/key"
)

const (
	// callAgain is how long a client waits for an answer before it calls again.
	// Thousands call at once: calls that are repeated faster than a busy machine
	// answers them would be most of its work.
	callAgain = time.Second
	// returnsAtOnce bounds the logins of clients that find their way back: with all
	// of them under way, answers would wait for this process, not for the relays.
	returnsAtOnce = 32
	// reconnectPause is how long a client that cannot connect waits.
	reconnectPause = 100 * time.Millisecond
	// talkTimeout bounds a round of calls.
	talkTimeout = 60 * time.Second
)

// A call is a byte that says whether it is one or an answer, then the relays
// at which caller and callee began.
const (
	callByte   = 1
	answerByte = 2
	callLen    = 3
)

// citizen is a client of a region. It answers calls, and logs in at another
// relay when its connection ends.
type citizen struct {
	crew   *crew
	number int
	// peers are the clients of its number at all relays, derived before they are
	// called: that takes as long as sending several packets.
	peers  []key.NodePublic
	client atomic.Pointer[derphttp.Client]
	// back closes when it has logged in after its first loss.
	back chan struct{}

	mu sync.Mutex
	// loggedIn is when it logged in after its first loss, and away how long that
	// took.
	loggedIn time.Time
	away     time.Duration
	// waiting are the relays whose client of its number has not answered yet.
	waiting map[byte]bool
	// answered and called are when clients of other relays first answered and
	// called after its loss, from its login; nil before.
	answered, called map[byte]time.Duration
}

// crew is all clients that begin at one relay.
type crew struct {
	seed    string
	home    byte
	dialers []*dialer
	all     []*citizen
	workers int
	// returning has a token for each login of a client that lost its relay.
	returning chan struct{}
}

// memberKey is known to all programs of a run, so that they need not talk.
func memberKey(seed string, home byte, number int) key.NodePrivate {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s/%d/%d", seed, home, number))
	return key.NodePrivateFromRaw32(mem.B(sum[:]))
}

// crowd runs the clients of one relay of a region by commands on standard
// input: "login N", "talk FROM TO", "seek HOME TO", "recover CALLED".
func crowd(s settings) (any, error) {
	c := &crew{seed: s.seed, home: byte(s.home), workers: s.workers, returning: make(chan struct{}, returnsAtOnce)}
	for _, url := range strings.Split(s.urls, ",") {
		one := s
		one.url = url
		d, err := newDialer(one)
		if err != nil {
			return nil, err
		}
		c.dialers = append(c.dialers, d)
	}
	say("ready", nil)
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		var name string
		var numbers [2]int
		// Missing numbers stay 0.
		fmt.Sscan(lines.Text(), &name, &numbers[0], &numbers[1])
		result, err := c.run(name, numbers[0], numbers[1])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		say(name, result)
	}
	return nil, nil
}

func (c *crew) run(name string, first, second int) (any, error) {
	switch name {
	case "login":
		return nil, c.login(first)
	case "talk":
		return c.talk(c.all[first:second], c.others())
	case "seek":
		return c.talk(c.all[:second], []byte{byte(first)})
	case "recover":
		return c.recover(first)
	}
	return nil, fmt.Errorf("unknown command")
}

// login logs in as many more.
func (c *crew) login(count int) error {
	first := len(c.all)
	c.all = append(c.all, make([]*citizen, count)...)
	var failure atomic.Pointer[error]
	c.each(first, func(number int) {
		one := &citizen{crew: c, number: number, back: make(chan struct{})}
		for home := range c.dialers {
			one.peers = append(one.peers, memberKey(c.seed, byte(home), number).Public())
		}
		client, err := c.dialers[c.home].login(memberKey(c.seed, c.home, number))
		if err != nil {
			failure.Store(&err)
			return
		}
		c.all[number] = one
		one.client.Store(client)
		go one.live(client)
	})
	if err := failure.Load(); err != nil {
		return *err
	}
	return nil
}

// each runs a function for the numbers from first on, some concurrently.
func (c *crew) each(first int, run func(number int)) {
	var next atomic.Int64
	next.Store(int64(first))
	parallel(make([]struct{}, c.workers), func(struct{}) {
		for at := int(next.Add(1)) - 1; at < len(c.all); at = int(next.Add(1)) - 1 {
			run(at)
		}
	})
}

// parallel runs a function for all items at the same time.
func parallel[T any](items []T, run func(T)) {
	var wg sync.WaitGroup
	for _, item := range items {
		wg.Add(1)
		go func() {
			defer wg.Done()
			run(item)
		}()
	}
	wg.Wait()
}

func (c *crew) others() (homes []byte) {
	for at := range c.dialers {
		if byte(at) != c.home {
			homes = append(homes, byte(at))
		}
	}
	return homes
}

// live receives until the connection ends, then logs in elsewhere.
func (one *citizen) live(client *derphttp.Client) {
	for {
		message, err := client.Recv()
		if err != nil {
			client.Close()
			client = one.moveOn()
			continue
		}
		if packet, ok := message.(derp.ReceivedPacket); ok && len(packet.Data) == callLen {
			one.receive(client, packet)
		}
	}
}

// moveOn logs in at another relay, which differs by client.
func (one *citizen) moveOn() *derphttp.Client {
	c, lost := one.crew, time.Now()
	for attempt := one.number; ; attempt++ {
		others := c.others()
		at := others[attempt%len(others)]
		c.returning <- struct{}{}
		client, err := c.dialers[at].login(memberKey(c.seed, c.home, one.number))
		<-c.returning
		if err != nil {
			time.Sleep(reconnectPause)
			continue
		}
		one.client.Store(client)
		one.mu.Lock()
		defer one.mu.Unlock()
		if one.answered == nil {
			one.answered, one.called = map[byte]time.Duration{}, map[byte]time.Duration{}
			one.loggedIn, one.away = time.Now(), time.Since(lost)
			close(one.back)
		}
		return client
	}
}

func (one *citizen) receive(client *derphttp.Client, packet derp.ReceivedPacket) {
	kind, from, to := packet.Data[0], packet.Data[1], packet.Data[2]
	if kind == callByte {
		client.Send(packet.Source, []byte{answerByte, from, to})
	}
	one.mu.Lock()
	defer one.mu.Unlock()
	since := time.Since(one.loggedIn)
	if kind == callByte {
		note(one.called, from, since)
		return
	}
	delete(one.waiting, to)
	note(one.answered, to, since)
}

// note keeps the first time.
func note(times map[byte]time.Duration, home byte, since time.Duration) {
	if _, known := times[home]; times != nil && !known {
		times[home] = since
	}
}

type talkResult struct {
	Pairs   int     `json:"pairs"`
	Calls   int64   `json:"calls"`
	Seconds float64 `json:"seconds"`
}

// talk has each of the clients call its number at the relays until all have
// answered.
func (c *crew) talk(some []*citizen, homes []byte) (any, error) {
	began := time.Now()
	var calls atomic.Int64
	parallel(some, func(one *citizen) { calls.Add(one.call(homes, began.Add(talkTimeout))) })
	for _, one := range some {
		if silent := one.silent(); len(silent) > 0 {
			return nil, fmt.Errorf("client %d: no answer from those of relays %v", one.number, silent)
		}
	}
	return talkResult{Pairs: len(some) * len(homes), Calls: calls.Load(), Seconds: time.Since(began).Seconds()}, nil
}

// call returns the number of its calls.
func (one *citizen) call(homes []byte, deadline time.Time) (calls int64) {
	one.mu.Lock()
	one.waiting = map[byte]bool{}
	for _, home := range homes {
		one.waiting[home] = true
	}
	one.mu.Unlock()
	for silent := one.silent(); len(silent) > 0 && time.Now().Before(deadline); silent = one.silent() {
		client := one.client.Load()
		for _, home := range silent {
			client.Send(one.peers[home], []byte{callByte, one.crew.home, home})
			calls++
		}
		time.Sleep(callAgain)
	}
	return calls
}

func (one *citizen) silent() (homes []byte) {
	one.mu.Lock()
	defer one.mu.Unlock()
	for home := range one.waiting {
		homes = append(homes, home)
	}
	return homes
}

type recovery struct {
	Clients int   `json:"clients"`
	Calls   int64 `json:"calls"`
	// Times from a client's loss to its login at another relay.
	Away distribution `json:"awayMicros"`
	// Times from that login.
	Answered distribution `json:"answeredMicros"`
	Called   distribution `json:"calledMicros"`
}

// recover waits until all clients have lost their relay and logged in
// elsewhere; each calls its number at all relays as soon as it has. The first
// clients are called by those as well.
func (c *crew) recover(called int) (any, error) {
	deadline := time.Now().Add(talkTimeout)
	var away, answered, calledBy ages
	var calls atomic.Int64
	parallel(c.all, func(one *citizen) {
		select {
		case <-one.back:
		case <-time.After(time.Until(deadline)):
			return
		}
		calls.Add(one.call(c.others(), deadline))
		for one.number < called && one.callers() < len(c.others()) && time.Now().Before(deadline) {
			time.Sleep(callAgain)
		}
		one.mu.Lock()
		defer one.mu.Unlock()
		away.add([]time.Duration{one.away})
		answered.add(slices.Collect(maps.Values(one.answered)))
		if one.number < called {
			calledBy.add(slices.Collect(maps.Values(one.called)))
		}
	})
	return recovery{len(c.all), calls.Load(), away.distribution(), answered.distribution(), calledBy.distribution()}, nil
}

// callers is the number of relays whose client has called since the loss.
func (one *citizen) callers() int {
	one.mu.Lock()
	defer one.mu.Unlock()
	return len(one.called)
}
