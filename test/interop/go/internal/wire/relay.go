package wire

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"derphttp.test/interop/internal/message"
	"tailscale.com/derp"
	"tailscale.com/types/key"
	"tailscale.com/types/logger"
)

// patience bounds every wait for a message.
const patience = 5 * time.Second

// Relay is a stock server that is reached through memory.
type Relay struct{ *derp.Server }

// NewRelay starts a relay with a mesh key.
func NewRelay(private key.NodePrivate, meshKey string) Relay {
	s := derp.NewServer(private, logger.Discard)
	s.SetMeshKey(meshKey)
	return Relay{s}
}

// Guest says who connects to a relay and from where.
type Guest struct {
	PrivateKey     key.NodePrivate
	RemoteAddr     string // as the server is told
	IdealNode      string
	MeshKey        string
	IsProber       bool
	CanAckPings    bool
	KnowsServerKey bool // as after a fast start
}

// Peer is a connected stock client whose bytes are recorded.
type Peer struct {
	*derp.Client
	Tap      *Tap
	incoming chan incoming
}

type incoming struct {
	message message.Message
	err     error
}

// Dial gives a raw connection that the relay serves.
func (r Relay) Dial(g Guest) net.Conn {
	ours, theirs := net.Pipe()
	ctx := context.Background()
	if g.IdealNode != "" {
		ctx = derp.IdealNodeContextKey.WithValue(ctx, g.IdealNode)
	}
	go r.Accept(ctx, theirs, readWriter(theirs), g.RemoteAddr)
	return ours
}

// Connect logs a stock client in and returns after its ServerInfo, when the
// relay has registered it.
func (r Relay) Connect(g Guest) (*Peer, error) {
	tap := NewTap(r.Dial(g))
	options := []derp.ClientOpt{derp.MeshKey(g.MeshKey), derp.IsProber(g.IsProber), derp.CanAckPings(g.CanAckPings)}
	if g.KnowsServerKey {
		options = append(options, derp.ServerPublicKey(r.PublicKey()))
	}
	client, err := connectClient(tap, g, options)
	if err != nil {
		return nil, err
	}
	p := &Peer{Client: client, Tap: tap, incoming: make(chan incoming, 64)}
	go p.read()
	_, err = p.Next("serverInfo")
	return p, err
}

// connectClient logs in. A client that knows the server's key writes before
// it reads, and so does the server: memory has no buffer, so reading begins
// ahead of writing, as a socket would let it.
func connectClient(tap *Tap, g Guest, options []derp.ClientOpt) (*derp.Client, error) {
	if !g.KnowsServerKey {
		return derp.NewClient(g.PrivateKey, tap, readWriter(tap), logger.Discard, options...)
	}
	rw := readWriter(tap)
	peeked := make(chan error, 1)
	go func() {
		_, err := rw.Reader.Peek(1)
		peeked <- err
	}()
	client, err := derp.NewClient(g.PrivateKey, tap, rw, logger.Discard, options...)
	return client, errors.Join(err, <-peeked)
}

func (p *Peer) read() {
	for {
		r, err := p.Recv()
		if err != nil {
			p.incoming <- incoming{err: err}
			return
		}
		p.incoming <- incoming{message: message.From(r, message.Hex)}
	}
}

// Next returns the next message, which must be of the type named.
func (p *Peer) Next(wantType string) (message.Message, error) {
	return p.NextWithin(wantType, patience)
}

// NextWithin is Next with another bound.
func (p *Peer) NextWithin(wantType string, wait time.Duration) (message.Message, error) {
	select {
	case in := <-p.incoming:
		if in.err == nil && in.message.Type != wantType {
			in.err = fmt.Errorf("got %s in place of %s", in.message.Type, wantType)
		}
		return in.message, in.err
	case <-time.After(wait):
		return message.Message{}, fmt.Errorf("no %s within %v", wantType, wait)
	}
}

func readWriter(c net.Conn) *bufio.ReadWriter {
	return bufio.NewReadWriter(bufio.NewReader(c), bufio.NewWriter(c))
}
