package main

import (
	"errors"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"tailscale.com/derp"
	"tailscale.com/derp/derphttp"
	"tailscale.com/types/key"
)

// regionSettings are what src/sim/plan calls a workload.
type regionSettings struct {
	relays                  string
	session, away           time.Duration
	stay, locality, replies float64
	peers                   int
	flowEvery               time.Duration
	flowPackets, burst      int
	flowRate                float64
}

type regionResult struct {
	window
	Local     int64   `json:"local"`
	Cross     int64   `json:"cross"`
	Sent      int64   `json:"sent"`
	Logins    int64   `json:"logins"`
	Failed    int64   `json:"failed"`
	Connected float64 `json:"connected"`
}

// member is a device of the region.
type member struct {
	private key.NodePrivate
	public  key.NodePublic
	home    int
	peers   []*member
}

type region struct {
	settings
	dialers                                []*dialer
	members                                []*member
	entering                               chan struct{}
	begun                                  sync.WaitGroup
	local, cross, sent, logins, failed, on atomic.Int64
}

// First bytes of packets: whether they may be replied to, and the sender's relay.
const (
	packetReply = iota
	packetFresh
)

// region has clients of several relays log in and leave, and send flows to
// their peers.
func runRegion(s settings) (any, error) {
	r := &region{settings: s, entering: make(chan struct{}, s.workers)}
	for _, url := range strings.Split(s.region.relays, ",") {
		one := s
		one.url = url
		d, err := newDialer(one)
		if err != nil {
			return nil, err
		}
		r.dialers = append(r.dialers, d)
	}
	if err := r.populate(); err != nil {
		return nil, err
	}
	r.begun.Add(len(r.members))
	for _, m := range r.members {
		go r.live(m)
	}
	r.begun.Wait()
	time.Sleep(s.warmup)
	say("ready", nil)
	then, before := usageNow(), r.counts()
	s.wait()
	result := r.counts()
	result.Local -= before.Local
	result.Cross -= before.Cross
	result.Sent -= before.Sent
	result.Logins -= before.Logins
	result.Failed -= before.Failed
	result.Connected = (result.Connected + before.Connected) / 2
	result.window = usageNow().since(then)
	return result, nil
}

func (r *region) counts() regionResult {
	return regionResult{
		Local: r.local.Load(), Cross: r.cross.Load(), Sent: r.sent.Load(),
		Logins: r.logins.Load(), Failed: r.failed.Load(), Connected: float64(r.on.Load()),
	}
}

// populate makes as many members as are connected on average, and their peers.
func (r *region) populate() error {
	s := r.settings.region
	count := int(float64(r.clients)*(1+s.away.Seconds()/s.session.Seconds()) + 0.5)
	residents := make([][]*member, len(r.dialers))
	for range count {
		private := key.NewNode()
		m := &member{private: private, public: private.Public(), home: rand.IntN(len(r.dialers))}
		r.members = append(r.members, m)
		residents[m.home] = append(residents[m.home], m)
	}
	if count < 2*(s.peers+1)*len(r.dialers) {
		return errors.New("make peers: too few clients")
	}
	for _, m := range r.members {
		for len(m.peers) < s.peers {
			isLocal := len(r.dialers) == 1 || rand.Float64() < s.locality
			peer := pick(residents[m.home])
			for !isLocal && peer.home == m.home {
				peer = pick(r.members)
			}
			if peer != m && !contains(m.peers, peer) {
				m.peers = append(m.peers, peer)
			}
		}
	}
	return nil
}

func (r *region) live(m *member) {
	s := r.settings.region
	isFirst := true
	for {
		if !isFirst && rand.Float64() >= s.stay {
			m.home = rand.IntN(len(r.dialers))
		}
		r.entering <- struct{}{}
		client, err := r.dialers[m.home].login(m.private)
		<-r.entering
		if isFirst {
			r.begun.Done()
			isFirst = false
		}
		if err != nil {
			r.failed.Add(1)
			time.Sleep(100 * time.Millisecond)
			continue
		}
		r.logins.Add(1)
		r.on.Add(1)
		r.stayConnected(m, client)
		r.on.Add(-1)
		time.Sleep(exponential(s.away))
	}
}

// stayConnected receives and sends until the session ends.
func (r *region) stayConnected(m *member, client *derphttp.Client) {
	home := byte(m.home)
	end := time.AfterFunc(exponential(r.settings.region.session), func() { client.Close() })
	defer end.Stop()
	ended := make(chan struct{})
	defer close(ended)
	go r.startFlows(m, client, ended)
	for {
		message, err := client.Recv()
		if err != nil {
			client.Close()
			return
		}
		packet, ok := message.(derp.ReceivedPacket)
		if !ok {
			continue
		}
		if packet.Data[1] == home {
			r.local.Add(1)
		} else {
			r.cross.Add(1)
		}
		if packet.Data[0] == packetFresh && rand.Float64() < r.settings.region.replies {
			r.sent.Add(1)
			client.Send(packet.Source, r.packet(packetReply, home))
		}
	}
}

func (r *region) startFlows(m *member, client *derphttp.Client, ended <-chan struct{}) {
	for {
		select {
		case <-ended:
			return
		case <-time.After(exponential(r.settings.region.flowEvery)):
			go r.flow(client, byte(m.home), pick(m.peers).public)
		}
	}
}

func (r *region) flow(client *derphttp.Client, home byte, to key.NodePublic) {
	s := r.settings.region
	packet := r.packet(packetFresh, home)
	began := time.Now()
	for sent := 0; sent < s.flowPackets; {
		for n := min(s.burst, s.flowPackets-sent); n > 0; n-- {
			if client.Send(to, packet) != nil {
				return
			}
			r.sent.Add(1)
			sent++
		}
		time.Sleep(time.Until(began.Add(time.Duration(float64(sent) / s.flowRate * float64(time.Second)))))
	}
}

func (r *region) packet(kind, home byte) []byte {
	packet := make([]byte, r.size)
	packet[0], packet[1] = kind, home
	return packet
}

func exponential(mean time.Duration) time.Duration {
	return time.Duration(rand.ExpFloat64() * float64(mean))
}

func pick(members []*member) *member {
	return members[rand.IntN(len(members))]
}

func contains(members []*member, one *member) bool {
	for _, m := range members {
		if m == one {
			return true
		}
	}
	return false
}
