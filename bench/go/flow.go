package main

import (
	"sync/atomic"
	"time"

	"tailscale.com/derp"
	"tailscale.com/derp/derphttp"
)

// stalledAfter is how long nothing of a full window must arrive before its
// packets are given up for lost.
const stalledAfter = time.Second

// pacedNap is the shortest time a paced sender sleeps.
const pacedNap = 200 * time.Microsecond

type flowResult struct {
	window
	Packets int64 `json:"packets"`
	Lost    int64 `json:"lost"`
}

// pair is a sender and the receiver it sends to.
type pair struct {
	from, to *derphttp.Client
	// free holds a token for each packet that may be sent.
	free     chan struct{}
	received atomic.Int64
	lost     atomic.Int64
	_        [64]byte // the counters of two pairs share no cache line
}

// flow sends from each sender to its receiver, with a window of packets
// under way, each written on its own.
func flow(s settings) (any, error) {
	dialer, err := newDialer(s)
	if err != nil {
		return nil, err
	}
	pairs, err := newPairs(dialer, s.pairs, s.window, s.workers)
	if err != nil {
		return nil, err
	}
	for _, p := range pairs {
		go p.receive()
		go p.send(s.size, s.rate/float64(s.pairs))
	}
	time.Sleep(s.warmup)
	say("ready", nil)
	then, packets, lost := usageNow(s.pid), received(pairs), lost(pairs)
	s.wait()
	return resultOf(pairs, usageNow(s.pid).since(then), packets, lost), nil
}

func resultOf(pairs []*pair, w window, packets, lostBefore int64) flowResult {
	return flowResult{window: w, Packets: received(pairs) - packets, Lost: lost(pairs) - lostBefore}
}

func newPairs(d *dialer, count, window, workers int) ([]*pair, error) {
	clients, err := d.loginAll(2*count, workers)
	if err != nil {
		return nil, err
	}
	pairs := make([]*pair, count)
	for at := range pairs {
		p := &pair{from: clients[2*at], to: clients[2*at+1], free: make(chan struct{}, window)}
		p.refill()
		pairs[at] = p
	}
	return pairs, nil
}

func (p *pair) receive() {
	for {
		message, err := p.to.Recv()
		if err != nil {
			return
		}
		if _, ok := message.(derp.ReceivedPacket); !ok {
			continue
		}
		p.received.Add(1)
		select {
		case p.free <- struct{}{}:
		default: // was given up for lost
		}
	}
}

// send goes on until the connection ends; with a rate, in packets per second,
// it sends what is due and sleeps.
func (p *pair) send(size int, rate float64) {
	packet := make([]byte, size)
	destination := p.to.SelfPublicKey()
	began, sent := time.Now(), 0.0
	for {
		if due := time.Since(began).Seconds() * rate; rate > 0 && sent >= due {
			time.Sleep(max(pacedNap, time.Duration((sent+1-due)/rate*float64(time.Second))))
			continue
		}
		p.take()
		if err := p.from.Send(destination, packet); err != nil {
			return
		}
		sent++
	}
}

// take waits for room in the window.
func (p *pair) take() {
	select {
	case <-p.free:
		return
	default:
	}
	for timer := time.NewTimer(stalledAfter); ; timer.Reset(stalledAfter) {
		select {
		case <-p.free:
			timer.Stop()
			return
		case <-timer.C:
			p.lost.Add(int64(p.refill()))
		}
	}
}

// refill makes the whole window free and says for how many packets.
func (p *pair) refill() int {
	for count := 0; ; count++ {
		select {
		case p.free <- struct{}{}:
		default:
			return count
		}
	}
}

func received(pairs []*pair) (sum int64) {
	for _, p := range pairs {
		sum += p.received.Load()
	}
	return sum
}

func lost(pairs []*pair) (sum int64) {
	for _, p := range pairs {
		sum += p.lost.Load()
	}
	return sum
}
