package main

import (
	"time"

	"tailscale.com/derp/derphttp"
	"tailscale.com/types/key"
)

const (
	// stalledReadBuffer is small, so that a stalled reader takes effect quickly.
	stalledReadBuffer = 4096
	// stallFor is how long the stalled reader keeps one connection: a little
	// less than the write timeout of relays.
	stallFor = 1800 * time.Millisecond
	// floodRate is the packet rate to the stalled reader, per second.
	floodRate = 8000
)

type stallResult struct {
	window
	Age distribution `json:"ageMicros"`
}

// stall sends to many readers in turn, one of which does not read, and
// measures how old packets are when the others get them.
func stall(s settings) (any, error) {
	dialer, err := newDialer(s)
	if err != nil {
		return nil, err
	}
	clients, err := dialer.loginAll(s.clients+1, s.workers)
	if err != nil {
		return nil, err
	}
	sender, flooder, readers := clients[0], clients[1], clients[2:]
	stalled := key.NewNode()
	go keepStalled(&stalledClient{dialer: *dialer, key: stalled})
	go drain(sender)
	go drain(flooder)
	go sendEvenly(flooder, []key.NodePublic{stalled.Public()}, s.size, floodRate)
	all := new(ages)
	measuring := make(chan struct{})
	for _, reader := range readers {
		go collectAges(reader, all, measuring)
	}
	go sendEvenly(sender, append(publicKeys(readers), stalled.Public()), s.size, s.rate)
	time.Sleep(s.warmup)
	say("ready", nil)
	then := usageNow(s.pid)
	close(measuring)
	s.wait()
	return stallResult{window: usageNow(s.pid).since(then), Age: all.distribution()}, nil
}

// stalledClient dials the one client that does not read.
type stalledClient struct {
	dialer
	key key.NodePrivate
}

func keepStalled(d *stalledClient) {
	d.readBuffer = stalledReadBuffer
	for {
		client, err := d.login(d.key)
		if err != nil {
			time.Sleep(10 * time.Millisecond)
			continue
		}
		time.Sleep(stallFor)
		client.Close()
	}
}

// sendEvenly sends stamped packets to all destinations in turn, at a rate.
func sendEvenly(client *derphttp.Client, to []key.NodePublic, size int, rate float64) {
	packet := make([]byte, size)
	began := time.Now()
	for sent := 0; ; {
		due := int(time.Since(began).Seconds() * rate)
		if sent >= due {
			time.Sleep(pacedNap)
			continue
		}
		stamp(packet)
		if client.Send(to[sent%len(to)], packet) != nil {
			return
		}
		sent++
	}
}

func publicKeys(clients []*derphttp.Client) []key.NodePublic {
	keys := make([]key.NodePublic, len(clients))
	for at, client := range clients {
		keys[at] = client.SelfPublicKey()
	}
	return keys
}

// collectAges records the age of a reader's packets, once measuring is closed.
func collectAges(client *derphttp.Client, all *ages, measuring <-chan struct{}) {
	for {
		data, err := nextPacket(client)
		if err != nil {
			return
		}
		select {
		case <-measuring:
			all.add([]time.Duration{age(data)})
		default:
		}
	}
}
