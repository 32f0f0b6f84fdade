// Package wire records what stock clients and servers write.
package wire

import (
	"encoding/binary"
	"fmt"
)

// HeaderLen is the length of a frame's header: type and 32-bit length.
const HeaderLen = 5

// Frame types of the protocol; the Go package does not export them.
const (
	ServerKey     = 0x01
	ClientInfo    = 0x02
	ServerInfo    = 0x03
	SendPacket    = 0x04
	RecvPacket    = 0x05
	KeepAlive     = 0x06
	NotePreferred = 0x07
	PeerGone      = 0x08
	PeerPresent   = 0x09
	ForwardPacket = 0x0a
	WatchConns    = 0x10
	ClosePeer     = 0x11
	Ping          = 0x12
	Pong          = 0x13
	Health        = 0x14
	Restarting    = 0x15
)

// Encode writes one frame; used only where no stock code writes it.
func Encode(frameType byte, parts ...[]byte) []byte {
	b := []byte{frameType, 0, 0, 0, 0}
	for _, p := range parts {
		b = append(b, p...)
	}
	binary.BigEndian.PutUint32(b[1:], uint32(len(b)-HeaderLen))
	return b
}

// Cut takes the first whole frame, header included, off b.
func Cut(b []byte) (frame, rest []byte, err error) {
	if len(b) < HeaderLen {
		return nil, b, fmt.Errorf("no whole header in %d bytes", len(b))
	}
	end := HeaderLen + int(binary.BigEndian.Uint32(b[1:]))
	if end > len(b) {
		return nil, b, fmt.Errorf("frame of %d bytes, only %d there", end, len(b))
	}
	return b[:end:end], b[end:], nil
}
