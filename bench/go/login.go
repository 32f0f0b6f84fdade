package main

import (
	"sync/atomic"
	"time"

	"tailscale.com/types/key"
)

type loginResult struct {
	window
	Logins int64 `json:"logins"`
	Failed int64 `json:"failed"`
}

// login has workers log in new clients, one after the other. A login ends
// with ServerInfo: then the relay has registered the client.
func login(s settings) (any, error) {
	dialer, err := newDialer(s)
	if err != nil {
		return nil, err
	}
	var logins, failed atomic.Int64
	for range s.workers {
		go func() {
			for {
				client, err := dialer.login(key.NewNode())
				if err != nil {
					failed.Add(1)
					time.Sleep(10 * time.Millisecond)
					continue
				}
				logins.Add(1)
				client.Close()
			}
		}()
	}
	time.Sleep(s.warmup)
	say("ready", nil)
	then, loginsThen, failedThen := usageNow(s.pid), logins.Load(), failed.Load()
	s.wait()
	return loginResult{
		window: usageNow(s.pid).since(then),
		Logins: logins.Load() - loginsThen,
		Failed: failed.Load() - failedThen,
	}, nil
}
