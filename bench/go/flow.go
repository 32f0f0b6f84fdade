package main

import (
	"errors"
	"sync/atomic"
	"time"

	"tailscale.com/derp"
	"tailscale.com/derp/derphttp"
)

// stalledAfter is how long nothing must arrive of a full window before its
// packets count as lost.
const stalledAfter = time.Second

// reachTimeout bounds the wait until the senders' relay can reach a receiver.
const reachTimeout = 30 * time.Second

// pacedNap is the shortest sleep of a paced sender.
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

// flow sends from each sender to its receiver, with a window of packets in
// flight, one write each.
func flow(s settings) (any, error) {
	pairs, err := newPairs(s)
	if err != nil {
		return nil, err
	}
	for _, p := range pairs {
		go p.receive()
		go p.send(s.size, s.rate/float64(s.pairs))
	}
	time.Sleep(s.warmup)
	say("ready", nil)
	pids := append(s.alsoPids, s.pid)
	then, packets, lost := usageNow(pids...), received(pairs), lost(pairs)
	s.wait()
	return resultOf(pairs, usageNow(pids...).since(then), packets, lost), nil
}

func resultOf(pairs []*pair, w window, packets, lostBefore int64) flowResult {
	return flowResult{window: w, Packets: received(pairs) - packets, Lost: lost(pairs) - lostBefore}
}

func newPairs(s settings) ([]*pair, error) {
	d, err := newDialer(s)
	if err != nil {
		return nil, err
	}
	if s.to != "" {
		return newMeshPairs(s, d)
	}
	clients, err := d.loginAll(2*s.pairs, s.workers)
	if err != nil {
		return nil, err
	}
	pairs := make([]*pair, s.pairs)
	for at := range pairs {
		pairs[at] = newPair(clients[2*at], clients[2*at+1], s.window)
	}
	return pairs, nil
}

func newPair(from, to *derphttp.Client, window int) *pair {
	p := &pair{from: from, to: to, free: make(chan struct{}, window)}
	p.refill()
	return p
}

// newMeshPairs makes pairs whose receivers are at a mesh peer of the senders'
// relay.
func newMeshPairs(s settings, d *dialer) ([]*pair, error) {
	to := s
	to.url = s.to
	far, err := newDialer(to)
	if err != nil {
		return nil, err
	}
	senders, err := d.loginAll(s.pairs, s.workers)
	if err != nil {
		return nil, err
	}
	receivers, err := far.loginAll(s.pairs, s.workers)
	if err != nil {
		return nil, err
	}
	pairs := make([]*pair, s.pairs)
	for at := range pairs {
		pairs[at] = newPair(senders[at], receivers[at], s.window)
		if err := pairs[at].reach(); err != nil {
			return nil, err
		}
	}
	return pairs, nil
}

// reach sends until a packet arrives: it takes a while until the senders' relay
// knows where the receiver is.
func (p *pair) reach() error {
	arrived := make(chan error, 1)
	go func() {
		for {
			message, err := p.to.Recv()
			if _, ok := message.(derp.ReceivedPacket); ok || err != nil {
				arrived <- err
				return
			}
		}
	}()
	for deadline := time.Now().Add(reachTimeout); ; {
		if err := p.from.Send(p.to.SelfPublicKey(), make([]byte, stampLen)); err != nil {
			return err
		}
		select {
		case err := <-arrived:
			return err
		case <-time.After(50 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			return errors.New("reach the receiver over the mesh: no packet arrived")
		}
	}
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
		default: // already counted as lost
		}
	}
}

// send runs until the connection ends; with a rate, in packets per second,
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

// refill frees the whole window and returns the number of packets freed.
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
