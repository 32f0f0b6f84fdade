package main

import (
	"context"
	"errors"
	"sync"

	"derphttp.test/interop/internal/message"
	"tailscale.com/derp"
	"tailscale.com/types/key"
)

// watch runs the stock watch loop of a client.
type watch struct {
	session *session
	ready   bool // made with watch, so it may run after a connect

	mu     sync.Mutex
	cancel context.CancelFunc // non-nil while the loop runs
}

func (w *watch) start(ignore key.NodePublic) error {
	if w.session.reader.isRunning() {
		return errors.New("recv reads already")
	}
	if _, err := w.session.client.LocalAddr(); err == nil && !w.ready {
		return errors.New("connected without watch")
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.cancel != nil {
		return errors.New("runs already")
	}
	ctx, cancel := context.WithCancel(context.Background())
	w.cancel = cancel
	go w.run(ctx, ignore)
	return nil
}

func (w *watch) run(ctx context.Context, ignore key.NodePublic) {
	s := w.session
	added := func(m derp.PeerPresentMessage) {
		s.out.write(event{"watchAdd", s.name, nil, message.From(m, message.Hex)})
	}
	removed := func(m derp.PeerGoneMessage) {
		s.out.write(event{"watchRemove", s.name, nil, message.From(m, message.Hex)})
	}
	s.client.RunWatchConnectionLoop(ctx, ignore, nil, added, removed)
	w.mu.Lock()
	w.cancel = nil
	w.mu.Unlock()
	s.out.write(end{Event: "watchEnd", Client: s.name})
}

// stop cancels the loop; it ends for good when the client is closed too.
func (w *watch) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.cancel != nil {
		w.cancel()
	}
}

func (w *watch) isRunning() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.cancel != nil
}
