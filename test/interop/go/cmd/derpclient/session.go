package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"derphttp.test/interop/internal/fixture"
	"derphttp.test/interop/internal/message"
	"tailscale.com/derp/derphttp"
)

// session is one named client.
type session struct {
	name   string
	client *derphttp.Client
	out    *output
	queue  chan request // of operations that keep their order
	reader *reader
	watch  *watch
}

func newSession(name string, client *derphttp.Client, watching bool, out *output) *session {
	s := &session{name: name, client: client, out: out, queue: make(chan request, 1024)}
	s.reader = newReader(s)
	s.watch = &watch{session: s, ready: watching}
	go func() {
		for r := range s.queue {
			s.answer(ordered[r.Op], r)
		}
	}()
	return s
}

// event is a line that nobody asked for.
type event struct {
	Event   string `json:"event"`
	Client  string `json:"client"`
	ConnGen *int   `json:"connGen,omitempty"`
	message.Message
}

// end is an event that tells of the end of a reader or a watch loop.
type end struct {
	Event     string `json:"event"`
	Client    string `json:"client"`
	ConnGen   int    `json:"connGen,omitempty"`
	Error     string `json:"error,omitempty"`
	Reconnect bool   `json:"reconnect"`
}

type operation func(*session, request) (fields, error)

// ordered operations run one after the other; some may wait for the relay.
var ordered = map[string]operation{
	"connect":         (*session).connect,
	"send":            (*session).send,
	"forward":         (*session).forward,
	"sendPing":        (*session).sendPing,
	"sendPong":        (*session).sendPong,
	"notePreferred":   (*session).notePreferred,
	"closePeer":       (*session).closePeer,
	"serverPublicKey": (*session).serverPublicKey,
	"localAddr":       (*session).localAddr,
	"tlsState":        (*session).tlsState,
}

// immediate operations never wait and are done before the next line is read.
var immediate = map[string]operation{
	"recv":      (*session).recv,
	"watchLoop": (*session).watchLoop,
}

// concurrent operations pass those that wait.
var concurrent = map[string]operation{
	"ping":  (*session).ping,
	"close": (*session).close,
}

func (s *session) handle(r request) error {
	if f, ok := immediate[r.Op]; ok {
		s.answer(f, r)
		return nil
	}
	if f, ok := concurrent[r.Op]; ok {
		go s.answer(f, r)
		return nil
	}
	if _, ok := ordered[r.Op]; !ok {
		return fmt.Errorf("unknown op %q", r.Op)
	}
	s.queue <- r
	return nil
}

func (s *session) answer(f operation, r request) {
	result, err := f(s, r)
	s.out.reply(r, result, err)
}

func (s *session) connect(r request) (fields, error) {
	ctx, cancel := r.context()
	defer cancel()
	if err := s.client.Connect(ctx); err != nil {
		return nil, err
	}
	return s.serverPublicKey(r)
}

// context bounds an operation as asked; the stock code has bounds of its own.
func (r request) context() (context.Context, context.CancelFunc) {
	if r.TimeoutMs == 0 {
		return context.WithCancel(context.Background())
	}
	return context.WithTimeout(context.Background(), time.Duration(r.TimeoutMs)*time.Millisecond)
}

// packets calls send with the payload, or with count payloads of seeds that
// follow each other.
func (r request) packets(send func([]byte) error) (fields, error) {
	if r.To == nil {
		return nil, errors.New("no to")
	}
	count := max(r.Count, 1)
	for i := range count {
		data := r.DataBase64
		if r.Size != nil {
			data = fixture.Payload(*r.Size, r.Seed+uint32(i))
		}
		if err := send(data); err != nil {
			return fields{"sent": i}, err
		}
	}
	return fields{"sent": count}, nil
}

func (s *session) send(r request) (fields, error) {
	return r.packets(func(b []byte) error { return s.client.Send(*r.To, b) })
}

func (s *session) forward(r request) (fields, error) {
	return r.packets(func(b []byte) error { return s.client.ForwardPacket(r.From, *r.To, b) })
}

func (s *session) closePeer(r request) (fields, error) {
	if r.To == nil {
		return nil, errors.New("no to")
	}
	return nil, s.client.ClosePeer(*r.To)
}

// ping needs recv to be on: the pong is read there.
func (s *session) ping(r request) (fields, error) {
	ctx, cancel := r.context()
	defer cancel()
	began := time.Now()
	err := s.client.Ping(ctx)
	return fields{"ms": float64(time.Since(began).Microseconds()) / 1000}, err
}

func (s *session) sendPing(r request) (fields, error) {
	data, err := r.eight()
	if err != nil {
		return nil, err
	}
	return nil, s.client.SendPing(data)
}

func (s *session) sendPong(r request) (fields, error) {
	data, err := r.eight()
	if err != nil {
		return nil, err
	}
	return nil, s.client.SendPong(data)
}

func (r request) eight() (data [8]byte, err error) {
	b, err := hex.DecodeString(r.DataHex)
	if err == nil && len(b) != len(data) {
		err = fmt.Errorf("dataHex of %d bytes", len(b))
	}
	copy(data[:], b)
	return data, err
}

func (s *session) notePreferred(r request) (fields, error) {
	s.client.NotePreferred(r.Preferred)
	return nil, nil
}

func (s *session) serverPublicKey(request) (fields, error) {
	k := s.client.ServerPublicKey()
	if k.IsZero() {
		return nil, errors.New("not known yet")
	}
	return fields{"serverPublicKey": k.String()}, nil
}

func (s *session) localAddr(request) (fields, error) {
	a, err := s.client.LocalAddr()
	if err != nil {
		return nil, err
	}
	return fields{"localAddr": a.String()}, nil
}

func (s *session) recv(r request) (fields, error) {
	switch r.Action {
	case "start":
		return nil, s.reader.start(r.Reconnect, r.Digest)
	case "stop":
		s.reader.stop()
		return nil, nil
	}
	return nil, fmt.Errorf("unknown action %q", r.Action)
}

func (s *session) watchLoop(r request) (fields, error) {
	switch r.Action {
	case "start":
		return nil, s.watch.start(r.IgnoreServerKey)
	case "stop":
		s.watch.stop()
		return nil, nil
	}
	return nil, fmt.Errorf("unknown action %q", r.Action)
}

func (s *session) close(request) (fields, error) {
	err := s.client.Close()
	s.watch.stop()
	s.reader.release()
	return nil, err
}
