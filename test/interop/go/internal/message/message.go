// Package message puts what a stock client receives into JSON.
package message

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"

	"tailscale.com/derp"
)

// Message is one received message; only the fields of its type are present.
type Message struct {
	Type   string  `json:"type"`
	Source string  `json:"source,omitempty"` // receivedPacket
	Peer   string  `json:"peer,omitempty"`   // peerGone
	Reason *int    `json:"reason,omitempty"` // peerGone
	Key    string  `json:"key,omitempty"`    // peerPresent
	IPPort *string `json:"ipPort,omitempty"` // peerPresent; empty when the frame has none
	Flags  *int    `json:"flags,omitempty"`  // peerPresent

	Problem       *string `json:"problem,omitempty"`       // health
	ReconnectInMs *int64  `json:"reconnectInMs,omitempty"` // serverRestarting
	TryForMs      *int64  `json:"tryForMs,omitempty"`      // serverRestarting

	TokenBucketBytesPerSecond *int `json:"tokenBucketBytesPerSecond,omitempty"` // serverInfo
	TokenBucketBytesBurst     *int `json:"tokenBucketBytesBurst,omitempty"`     // serverInfo

	// The payload of receivedPacket, ping and pong in one of three forms.
	DataHex    *string `json:"dataHex,omitempty"`
	DataBase64 *string `json:"dataBase64,omitempty"`
	Bytes      *int    `json:"bytes,omitempty"`
	SHA256     string  `json:"sha256,omitempty"`
}

// A Form puts a payload into a message.
type Form func(*Message, []byte)

// MaxHexBytes is the longest payload that Hex writes out.
const MaxHexBytes = 4096

// Hex writes payloads as hex digits, above MaxHexBytes as length and SHA-256.
func Hex(m *Message, data []byte) {
	if len(data) > MaxHexBytes {
		Digest(m, data)
		return
	}
	m.DataHex = new(string)
	*m.DataHex = hex.EncodeToString(data)
}

// Base64 writes payloads whole.
func Base64(m *Message, data []byte) {
	m.DataBase64 = new(string)
	*m.DataBase64 = base64.StdEncoding.EncodeToString(data)
}

// Digest writes length and SHA-256 in place of the payload.
func Digest(m *Message, data []byte) {
	sum := sha256.Sum256(data)
	m.Bytes = pointer(len(data))
	m.SHA256 = hex.EncodeToString(sum[:])
}

// From describes r; nothing of the result refers to the memory of r.
func From(r derp.ReceivedMessage, form Form) Message {
	switch r := r.(type) {
	case derp.ReceivedPacket:
		m := Message{Type: "receivedPacket", Source: r.Source.String()}
		form(&m, r.Data)
		return m
	case derp.PeerGoneMessage:
		return Message{Type: "peerGone", Peer: r.Peer.String(), Reason: pointer(int(r.Reason))}
	case derp.PeerPresentMessage:
		return peerPresent(r)
	case derp.ServerInfoMessage:
		return Message{
			Type:                      "serverInfo",
			TokenBucketBytesPerSecond: pointer(r.TokenBucketBytesPerSecond),
			TokenBucketBytesBurst:     pointer(r.TokenBucketBytesBurst),
		}
	case derp.PingMessage:
		m := Message{Type: "ping"}
		form(&m, r[:])
		return m
	case derp.PongMessage:
		m := Message{Type: "pong"}
		form(&m, r[:])
		return m
	case derp.KeepAliveMessage:
		return Message{Type: "keepAlive"}
	case derp.HealthMessage:
		return Message{Type: "health", Problem: pointer(r.Problem)}
	case derp.ServerRestartingMessage:
		return Message{
			Type:          "serverRestarting",
			ReconnectInMs: pointer(r.ReconnectIn.Milliseconds()),
			TryForMs:      pointer(r.TryFor.Milliseconds()),
		}
	}
	panic(fmt.Sprintf("unknown message %T", r))
}

func peerPresent(r derp.PeerPresentMessage) Message {
	ipPort := ""
	if r.IPPort.IsValid() {
		ipPort = r.IPPort.String()
	}
	return Message{Type: "peerPresent", Key: r.Key.String(), IPPort: &ipPort, Flags: pointer(int(r.Flags))}
}

func pointer[T any](v T) *T { return &v }
