package wire

import (
	"net"
	"sync"
)

// Tap is the client's end of a connection that keeps what passes it.
type Tap struct {
	net.Conn

	mu       sync.Mutex
	toServer []byte
	toClient []byte
}

// NewTap records c from now on.
func NewTap(c net.Conn) *Tap { return &Tap{Conn: c} }

func (t *Tap) Write(p []byte) (int, error) {
	n, err := t.Conn.Write(p)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.toServer = append(t.toServer, p[:n]...)
	return n, err
}

func (t *Tap) Read(p []byte) (int, error) {
	n, err := t.Conn.Read(p)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.toClient = append(t.toClient, p[:n]...)
	return n, err
}

// Sent takes the next whole frame that the client wrote.
func (t *Tap) Sent() ([]byte, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	frame, rest, err := Cut(t.toServer)
	t.toServer = rest
	return frame, err
}

// Received takes the next whole frame that the client read.
func (t *Tap) Received() ([]byte, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	frame, rest, err := Cut(t.toClient)
	t.toClient = rest
	return frame, err
}

// All returns everything recorded and not yet taken.
func (t *Tap) All() (toServer, toClient []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.toServer, t.toClient
}
