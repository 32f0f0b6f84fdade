package main

import (
	"encoding/hex"
	"fmt"

	"derphttp.test/interop/internal/fixture"
	"derphttp.test/interop/internal/wire"
	"tailscale.com/derp"
	"tailscale.com/types/key"
)

// Call is one use of a client that writes one frame.
type Call struct {
	Op        string `json:"op"` // send, forward, ping, pong, notePreferred, watch, closePeer
	From      string `json:"from,omitempty"`
	To        string `json:"to,omitempty"`
	Preferred *bool  `json:"preferred,omitempty"`

	// The payload: digits, or size and seed of the payload generator.
	DataHex string `json:"dataHex,omitempty"`
	Size    *int   `json:"size,omitempty"`
	Seed    uint32 `json:"seed,omitempty"`
}

func (c Call) payload() ([]byte, error) {
	if c.Size != nil {
		return fixture.Payload(*c.Size, c.Seed), nil
	}
	return hex.DecodeString(c.DataHex)
}

// on makes the call on a stock client.
func (c Call) on(client *derp.Client) error {
	data, err := c.payload()
	if err != nil {
		return err
	}
	from, err := publicKey(c.From)
	if err != nil {
		return err
	}
	to, err := publicKey(c.To)
	if err != nil {
		return err
	}
	switch c.Op {
	case "send":
		return client.Send(to, data)
	case "forward":
		return client.ForwardPacket(from, to, data)
	case "ping", "pong":
		if len(data) != 8 {
			return fmt.Errorf("%s of %d bytes", c.Op, len(data))
		}
		if c.Op == "ping" {
			return client.SendPing([8]byte(data))
		}
		return client.SendPong([8]byte(data))
	case "notePreferred":
		return client.NotePreferred(c.Preferred != nil && *c.Preferred)
	case "watch":
		return client.WatchConnectionChanges()
	case "closePeer":
		return client.ClosePeer(to)
	}
	return fmt.Errorf("unknown op %q", c.Op)
}

// frameOf makes the call on p and takes the frame that it wrote.
func (c Call) frameOf(p *wire.Peer) ([]byte, error) {
	if err := c.on(p.Client); err != nil {
		return nil, err
	}
	return p.Tap.Sent()
}

// publicKey reads the text form; empty is the zero key.
func publicKey(text string) (k key.NodePublic, err error) {
	if text != "" {
		err = k.UnmarshalText([]byte(text))
	}
	return k, err
}

func privateKey(text string) (k key.NodePrivate, err error) {
	err = k.UnmarshalText([]byte(text))
	return k, err
}
