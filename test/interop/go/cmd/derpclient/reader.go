package main

import (
	"errors"
	"sync"
	"time"

	"derphttp.test/interop/internal/message"
	"tailscale.com/derp/derphttp"
)

// retryPause keeps a reader that reconnects from spinning while it cannot.
const retryPause = 50 * time.Millisecond

// reader prints received messages while it is on. Off, it holds the message
// that was being read and reads no further, as a slow receiver does.
type reader struct {
	session *session

	mu        sync.Mutex
	changed   *sync.Cond
	running   bool // the loop exists
	on        bool
	reconnect bool
	form      message.Form
}

func newReader(s *session) *reader {
	r := &reader{session: s, form: message.Base64}
	r.changed = sync.NewCond(&r.mu)
	return r
}

func (r *reader) start(reconnect, digest bool) error {
	if r.session.watch.isRunning() {
		return errors.New("the watch loop reads already")
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.on = true
	r.reconnect = reconnect
	r.form = message.Base64
	if digest {
		r.form = message.Digest
	}
	r.changed.Broadcast()
	if !r.running {
		r.running = true
		go r.loop()
	}
	return nil
}

func (r *reader) stop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.on = false
}

// release lets a reader that is off come to its end.
func (r *reader) release() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.on = true
	r.changed.Broadcast()
}

func (r *reader) isRunning() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.running
}

func (r *reader) loop() {
	for {
		m, generation, err := r.session.client.RecvDetail()
		r.waitUntilOn()
		if err == nil {
			r.session.out.write(event{"message", r.session.name, &generation, message.From(m, r.payloadForm())})
			continue
		}
		goesOn := r.goesOn(err)
		r.session.out.write(end{"recvError", r.session.name, generation, err.Error(), goesOn})
		if !goesOn {
			return
		}
		time.Sleep(retryPause)
	}
}

func (r *reader) waitUntilOn() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for !r.on {
		r.changed.Wait()
	}
}

func (r *reader) payloadForm() message.Form {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.form
}

// goesOn decides after an error; the next read would connect again.
func (r *reader) goesOn(err error) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.running = r.reconnect && !errors.Is(err, derphttp.ErrClientClosed)
	return r.running
}
