package main

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"tailscale.com/derp"
	"tailscale.com/derp/derphttp"
	"tailscale.com/net/netmon"
	"tailscale.com/types/key"
	"tailscale.com/types/logger"
)

// loginTimeout bounds one login; a relay under a login storm is slow.
const loginTimeout = 30 * time.Second

// sourceAddresses is the number of loopback addresses that connections are
// spread over, so that none runs out of ports.
const sourceAddresses = 16

var dialled atomic.Uint32

// dialer makes stock clients of one relay.
type dialer struct {
	url     string
	address string
	// readBuffer is the size of the sockets' receive buffers; 0 for the default.
	readBuffer int
}

func newDialer(s settings) (*dialer, error) {
	if s.ca != "" {
		// The stock client trusts only system CAs, which Go reads once, from here.
		if err := os.Setenv("SSL_CERT_FILE", s.ca); err != nil {
			return nil, err
		}
	}
	u, err := url.Parse(s.url)
	if err != nil {
		return nil, err
	}
	return &dialer{url: s.url, address: net.JoinHostPort("127.0.0.1", u.Port())}, nil
}

// dial connects from the next source address.
func (d *dialer) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	source := net.IPv4(127, 0, 0, byte(2+dialled.Add(1)%sourceAddresses))
	from := net.Dialer{LocalAddr: &net.TCPAddr{IP: source}}
	conn, err := from.DialContext(ctx, "tcp", d.address)
	if err == nil && d.readBuffer > 0 {
		err = conn.(*net.TCPConn).SetReadBuffer(d.readBuffer)
	}
	return conn, err
}

// login connects a client and waits until the relay has registered it.
func (d *dialer) login(privateKey key.NodePrivate) (*derphttp.Client, error) {
	client, err := derphttp.NewClient(privateKey, d.url, logger.Discard, netmon.NewStatic())
	if err != nil {
		return nil, err
	}
	client.SetURLDialer(d.dial)
	give := time.AfterFunc(loginTimeout, func() { client.Close() })
	defer give.Stop()
	for {
		message, err := client.Recv()
		if err != nil {
			client.Close()
			return nil, err
		}
		if _, ok := message.(derp.ServerInfoMessage); ok {
			return client, nil
		}
	}
}

// loginAll connects clients, some concurrently.
func (d *dialer) loginAll(count, workers int) ([]*derphttp.Client, error) {
	clients := make([]*derphttp.Client, count)
	errors := make([]error, count)
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(workers, count) {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for at := int(next.Add(1)) - 1; at < count; at = int(next.Add(1)) - 1 {
				clients[at], errors[at] = d.login(key.NewNode())
			}
		}()
	}
	wg.Wait()
	for at, err := range errors {
		if err != nil {
			return nil, fmt.Errorf("login %d of %d: %w", at+1, count, err)
		}
	}
	return clients, nil
}
