package main

import (
	"fmt"
	"time"

	"derphttp.test/interop/internal/fixture"
	"derphttp.test/interop/internal/message"
	"derphttp.test/interop/internal/wire"
	"tailscale.com/disco"
)

type frameFile struct {
	Provenance   Provenance    `json:"provenance"`
	ClientFrames []ClientFrame `json:"clientFrames"` // written by a stock client
	ServerFrames []ServerFrame `json:"serverFrames"` // written by a stock server
	ClientReads  []ServerFrame `json:"clientReads"`  // laid out by hand, read by a stock client
}

// ClientFrame is a call and the frame that it writes.
type ClientFrame struct {
	Name string `json:"name"`
	Call Call   `json:"call"`
	Bytes
}

// ServerFrame is bytes and what a stock client makes of them: messages, and
// an error if the connection does not survive.
type ServerFrame struct {
	Name string `json:"name"`
	Bytes
	Expect []message.Message `json:"expect"`
	Error  string            `json:"error,omitempty"`

	// The reader's key and the relay's, where boxes are opened.
	PrivateKey      string `json:"privateKey,omitempty"`
	ServerPublicKey string `json:"serverPublicKey,omitempty"`
	// ReadsServerKey says that the bytes begin with the ServerKey frame.
	ReadsServerKey bool `json:"readsServerKey,omitempty"`
}

// capture is one relay and the guests whose frames are kept.
type capture struct {
	relay   wire.Relay
	a, b    *wire.Peer
	watcher *wire.Peer
	file    *frameFile
}

const keepAliveWait = 70 * time.Second

func frameVectors(keepAlive bool) *frameFile {
	f := &frameFile{Provenance: provenance(
		"payloads given as size and seed come from the payload generator of internal/fixture",
		"clientReads are laid out by hand, as no release sends them; what they are read as is the stock client's answer",
	)}
	c := capture{relay: wire.NewRelay(fixture.PrivateKey("server"), fixture.MeshKey), file: f}
	defer c.relay.Close()
	c.presence()
	since := time.Now()
	c.packets()
	c.smallFrames()
	c.mesh()
	c.departures()
	f.ClientReads = clientReads()
	if !keepAlive {
		f.Provenance.Notes = append(f.Provenance.Notes, "made without waiting for KeepAlive")
		return f
	}
	m := need(c.a.NextWithin("keepAlive", keepAliveWait-time.Since(since)))
	c.received("keepAlive", c.a, m)
	return f
}

func (c *capture) join(label string, g wire.Guest) *wire.Peer {
	g.PrivateKey = fixture.PrivateKey(label)
	p := need(c.relay.Connect(g))
	need(p.Tap.Sent())     // ClientInfo
	need(p.Tap.Received()) // ServerKey
	need(p.Tap.Received()) // ServerInfo
	return p
}

// sent keeps the frame that a call writes.
func (c *capture) sent(name string, p *wire.Peer, call Call) {
	frame := need(call.frameOf(p))
	c.file.ClientFrames = append(c.file.ClientFrames, ClientFrame{name, call, bytesOf(frame)})
}

// received keeps the frame that p has just read as m.
func (c *capture) received(name string, p *wire.Peer, m message.Message) {
	frame := need(p.Tap.Received())
	c.file.ServerFrames = append(c.file.ServerFrames,
		ServerFrame{Name: name, Bytes: bytesOf(frame), Expect: []message.Message{m}})
}

// arrives waits for the next message of p and keeps its frame.
func (c *capture) arrives(name string, p *wire.Peer, wantType string) {
	c.received(name, p, need(p.Next(wantType)))
}

// presence logs everybody in under the eyes of a watcher.
func (c *capture) presence() {
	c.watcher = c.join("watcher", wire.Guest{RemoteAddr: "198.51.100.9:443", MeshKey: fixture.MeshKey})
	c.sent("watchConns", c.watcher, Call{Op: "watch"})
	c.arrives("peerPresent: mesh peer, the watcher itself", c.watcher, "peerPresent")

	present := func(label, what string, g wire.Guest) *wire.Peer {
		p := c.join(label, g)
		c.arrives("peerPresent: "+what, c.watcher, "peerPresent")
		return p
	}
	c.a = present("a", "regular, IPv4", wire.Guest{RemoteAddr: "192.0.2.1:41641"})
	c.b = present("b", "regular, IPv6", wire.Guest{RemoteAddr: "[2001:db8::2]:65535"})
	present("c", "regular, IPv4 in IPv6 form", wire.Guest{RemoteAddr: "[::ffff:192.0.2.5]:7"})
	present("d", "regular, address unknown", wire.Guest{RemoteAddr: "pipe"})
	present("prober", "prober", wire.Guest{RemoteAddr: "203.0.113.7:1", IsProber: true})
	present("not ideal", "not ideal", wire.Guest{RemoteAddr: "203.0.113.8:2", IdealNode: "1a"})
	present("all", "mesh peer, prober, not ideal", wire.Guest{
		RemoteAddr: "[2001:db8::3]:3", MeshKey: fixture.MeshKey, IsProber: true, IdealNode: "1a"})
	present("a again", "IPv6 with a zone", wire.Guest{RemoteAddr: "[fe80::1%eth0]:4"})
}

func (c *capture) packets() {
	to := fixture.PrivateKey("b").Public().String()
	for _, size := range []int{0, 1, 31, 32, 1000, 1400, 65535, 65536} {
		call := Call{Op: "send", To: to, Size: &size, Seed: uint32(size + 1)}
		c.sent(fmt.Sprintf("sendPacket: %d bytes", size), c.a, call)
		c.arrives(fmt.Sprintf("recvPacket: %d bytes", size), c.b, "receivedPacket")
	}
	text := Call{Op: "send", To: to, DataHex: "68656c6c6f"}
	c.sent("sendPacket: hello", c.a, text)
	c.arrives("recvPacket: hello", c.b, "receivedPacket")
	shaped := Call{Op: "send", To: to, DataHex: discoHex(62)}
	c.sent("sendPacket: shaped like disco", c.a, shaped)
	c.arrives("recvPacket: shaped like disco", c.b, "receivedPacket")
}

func (c *capture) smallFrames() {
	yes, no := true, false
	c.sent("notePreferred: true", c.a, Call{Op: "notePreferred", Preferred: &yes})
	c.sent("notePreferred: false", c.a, Call{Op: "notePreferred", Preferred: &no})
	c.sent("ping", c.a, Call{Op: "ping", DataHex: "0102030405060708"})
	c.arrives("pong", c.a, "pong")
	c.sent("pong", c.a, Call{Op: "pong", DataHex: "f0f1f2f3f4f5f6f7"})
}

func (c *capture) mesh() {
	stranger := fixture.PrivateKey("stranger").Public().String()
	to := fixture.PrivateKey("a").Public().String()
	for _, size := range []int{0, 32, 65536} {
		call := Call{Op: "forward", From: stranger, To: to, Size: &size, Seed: uint32(size + 2)}
		c.sent(fmt.Sprintf("forwardPacket: %d bytes", size), c.watcher, call)
		c.arrives(fmt.Sprintf("recvPacket: %d bytes, forwarded", size), c.a, "receivedPacket")
	}
	c.sent("closePeer", c.watcher, Call{Op: "closePeer", To: fixture.PrivateKey("c").Public().String()})
	c.arrives("peerGone: disconnected, told to a watcher", c.watcher, "peerGone")
}

func (c *capture) departures() {
	stranger := fixture.PrivateKey("stranger").Public().String()
	c.sent("sendPacket: disco to nobody", c.a, Call{Op: "send", To: stranger, DataHex: discoHex(64)})
	c.arrives("peerGone: not here", c.a, "peerGone")
	c.sent("sendPacket: back to a", c.b, Call{Op: "send", To: fixture.PrivateKey("a").Public().String(), DataHex: "00"})
	c.arrives("recvPacket: back to a", c.a, "receivedPacket")
	must(c.b.Tap.Close())
	c.arrives("peerGone: disconnected, told to one that received", c.a, "peerGone")
}

// discoHex is size bytes that begin as disco messages do.
func discoHex(size int) string {
	b := append([]byte(disco.Magic), fixture.Payload(size-len(disco.Magic), 9)...)
	return fmt.Sprintf("%x", b)
}
