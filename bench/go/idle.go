package main

import (
	"io"
	"os"
	"sync/atomic"

	"tailscale.com/derp/derphttp"
)

type idleResult struct {
	Clients int   `json:"clients"`
	Lost    int64 `json:"lost"`
}

// idle logs in clients that send nothing, and keeps them until standard
// input ends.
func idle(s settings) (any, error) {
	dialer, err := newDialer(s)
	if err != nil {
		return nil, err
	}
	clients, err := dialer.loginAll(s.clients, s.workers)
	if err != nil {
		return nil, err
	}
	var ended atomic.Int64
	for _, client := range clients {
		go func() {
			drain(client)
			ended.Add(1)
		}()
	}
	say("ready", nil)
	io.Copy(io.Discard, os.Stdin)
	return idleResult{Clients: len(clients), Lost: ended.Load()}, nil
}

// drain reads until the connection ends, as every client does.
func drain(client *derphttp.Client) {
	for {
		if _, err := client.Recv(); err != nil {
			return
		}
	}
}
