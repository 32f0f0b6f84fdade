package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"time"

	"derphttp.test/interop/internal/fixture"
	"derphttp.test/interop/internal/stock"
	"tailscale.com/derp"
	"tailscale.com/derp/derphttp"
	"tailscale.com/types/key"
)

// Packets of the first two parts begin with a kind and a 32-bit number; those
// of the third are bare. Order within a direction keeps the parts apart.
const (
	kindHello = 'h' // is anybody there? repeated until one arrives
	kindReady = 'r' // something arrived: no more hellos of mine will come
	kindData  = 'd' // number: which, from 0
	kindAck   = 'a' // number: how many data packets have arrived

	headerLen = 5
)

// helloEvery is the pause between two hellos.
const helloEvery = 50 * time.Millisecond

// end is one of the two clients.
type end struct {
	name     string
	client   *derphttp.Client
	peer     key.NodePublic
	incoming chan []byte // packets of peer
	failed   chan error
	done     chan struct{}

	sent, received tally
}

// tally counts and sums up the payload of one direction at one end.
type tally struct {
	bytes, packets int
	hash           hash.Hash
}

func (t *tally) add(b []byte) {
	t.bytes += len(b)
	t.packets++
	t.hash.Write(b)
}

func (t *tally) sum() string { return hex.EncodeToString(t.hash.Sum(nil)) }

func newEnd(name string, o stock.Options) (*end, error) {
	client, err := stock.New(o)
	if err != nil {
		return nil, err
	}
	return &end{
		name:     name,
		client:   client,
		incoming: make(chan []byte, 64),
		failed:   make(chan error, 1),
		done:     make(chan struct{}),
		sent:     tally{hash: sha256.New()},
		received: tally{hash: sha256.New()},
	}, nil
}

func (e *end) key() key.NodePublic { return e.client.SelfPublicKey() }

func (e *end) close() {
	close(e.done)
	e.client.Close()
}

// read hands over the peer's packets until the connection ends. A second
// connection counts as an end: packets may be lost between the two.
func (e *end) read() {
	for {
		m, generation, err := e.client.RecvDetail()
		if err == nil && generation != 1 {
			err = fmt.Errorf("connected again (connection %d)", generation)
		}
		if err != nil {
			e.failed <- err
			return
		}
		switch m := m.(type) {
		case derp.ReceivedPacket:
			if m.Source != e.peer {
				e.failed <- fmt.Errorf("packet from %v", m.Source)
				return
			}
			select {
			case e.incoming <- bytes.Clone(m.Data):
			case <-e.done:
				return
			}
		case derp.PeerGoneMessage:
			e.failed <- fmt.Errorf("told that %v is gone, reason %d", m.Peer, m.Reason)
			return
		}
	}
}

// next waits for a packet of the peer.
func (e *end) next(ctx context.Context) ([]byte, error) {
	select {
	case b := <-e.incoming:
		return b, nil
	default:
	}
	select {
	case b := <-e.incoming:
		return b, nil
	case err := <-e.failed:
		return nil, errors.Join(ctx.Err(), err)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (e *end) send(kind byte, number int, payload []byte) error {
	b := make([]byte, headerLen, headerLen+len(payload))
	b[0] = kind
	binary.BigEndian.PutUint32(b[1:], uint32(number))
	return e.client.Send(e.peer, append(b, payload...))
}

func split(b []byte) (kind byte, number int, payload []byte, err error) {
	if len(b) < headerLen {
		return 0, 0, nil, fmt.Errorf("packet of %d bytes", len(b))
	}
	return b[0], int(binary.BigEndian.Uint32(b[1:])), b[headerLen:], nil
}

// meet connects and returns when both ends are known to be registered: the
// relay only passes on hellos of registered clients to registered clients.
func (e *end) meet(ctx context.Context) error {
	if err := e.client.Connect(ctx); err != nil {
		return err
	}
	go e.read()
	tick := time.NewTicker(helloEvery)
	defer tick.Stop()
	for greeted := false; ; {
		if !greeted {
			if err := e.send(kindHello, 0, nil); err != nil {
				return err
			}
		}
		select {
		case b := <-e.incoming:
			kind, _, _, err := split(b)
			if err == nil && kind != kindHello && kind != kindReady {
				err = fmt.Errorf("unexpected packet of kind %q", kind)
			}
			if err == nil && !greeted {
				greeted = true
				err = e.send(kindReady, 0, nil)
			}
			if err != nil || kind == kindReady {
				return err
			}
		case <-tick.C:
		case err := <-e.failed:
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// exchange sends this end's data, takes the peer's, and returns when all is
// there and acknowledged.
func (e *end) exchange(ctx context.Context, s settings) error {
	data := fixture.Payload(s.bytes, uint32(e.name[0]))
	acknowledged := 0
	for len(data) > 0 || acknowledged < e.sent.packets || e.received.bytes < s.bytes {
		for len(data) > 0 && e.sent.packets-acknowledged < s.window {
			piece := data[:min(len(data), s.packet-headerLen)]
			data = data[len(piece):]
			if err := e.send(kindData, e.sent.packets, piece); err != nil {
				return err
			}
			e.sent.add(piece)
		}
		b, err := e.next(ctx)
		if err != nil {
			return fmt.Errorf("%d packets sent, %d acknowledged, %d bytes received: %w",
				e.sent.packets, acknowledged, e.received.bytes, err)
		}
		if acknowledged, err = e.take(b, acknowledged); err != nil {
			return err
		}
	}
	return nil
}

// take handles one packet of the exchange and returns how many of this end's
// packets are acknowledged now.
func (e *end) take(b []byte, acknowledged int) (int, error) {
	kind, number, payload, err := split(b)
	switch {
	case err != nil:
		return acknowledged, err
	case kind == kindAck && number > acknowledged && number <= e.sent.packets:
		return number, nil
	case kind == kindData && number == e.received.packets:
		e.received.add(payload)
		return acknowledged, e.send(kindAck, e.received.packets, nil)
	case kind == kindData:
		return acknowledged, fmt.Errorf("packet %d came in place of %d", number, e.received.packets)
	}
	return acknowledged, fmt.Errorf("unexpected packet of kind %q, number %d", kind, number)
}

// exactly sends one bare packet and expects one of the same size.
func (e *end) exactly(ctx context.Context, size int) error {
	if err := e.client.Send(e.peer, exactPayload(e.key(), size)); err != nil {
		return err
	}
	b, err := e.next(ctx)
	if err != nil {
		return err
	}
	if !bytes.Equal(b, exactPayload(e.peer, size)) {
		return fmt.Errorf("got other bytes (%d)", len(b))
	}
	return nil
}

func exactPayload(from key.NodePublic, size int) []byte {
	return fixture.Payload(size, binary.BigEndian.Uint32(from.AppendTo(nil))^uint32(size))
}
