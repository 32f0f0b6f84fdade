package main

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"time"
)

const (
	slowPerPhase  = 150
	slowInterval  = 100 * time.Millisecond
	unreadReplies = 50
	halfOpenPerS  = 500
	halfOpenConns = 1_000
)

var errOver = errors.New("enough")

// firstFlight records the ClientHello of Go's TLS.
func firstFlight() []byte {
	ours, theirs := net.Pipe()
	go tls.Client(ours, &tls.Config{InsecureSkipVerify: true, ServerName: "localhost"}).Handshake()
	hello := make([]byte, 16<<10)
	n, _ := theirs.Read(hello)
	theirs.Close()
	return hello[:n]
}

// handshakes replays a ClientHello, takes the first bytes of the answer and
// leaves: the relay has made its signature by then.
func handshakes(f *flooder) (func(), error) {
	hello := firstFlight()
	return func() {
		f.each(stormWorkers, func() error {
			a, err := f.openTCP()
			if err != nil {
				return err
			}
			defer f.drop(a)
			a.SetDeadline(time.Now().Add(replyTimeout))
			if _, err := a.Write(hello); err != nil {
				return err
			}
			_, err = a.reader.ReadByte()
			return err
		})
	}, nil
}

// slowInEachPhase has connections that stop in each phase of a login or of a
// request, or go on by a byte now and then.
func slowInEachPhase(f *flooder) (func(), error) {
	hello := firstFlight()
	head := []byte("GET /derp HTTP/1.1\r\nHost: localhost\r\nX: " + strings.Repeat("x", 1_000))
	info := frame(frameClientInfo, make([]byte, 1_000))
	phases := []func() error{
		func() error { return f.openThen((*flooder).openTCP, nil, nil) },
		func() error { return f.openThen((*flooder).openTCP, nil, hello) },
		func() error { return f.openThen((*flooder).open, nil, head) },
		func() error { return f.openThen((*flooder).open, f.upgradePlain, info) },
		func() error { return f.openThen((*flooder).open, f.upgradeWebSocket, message(opBinary, true, info)) },
		func() error { return f.openThen((*flooder).open, beginBody, head) },
		f.leaveReplies,
	}
	for _, phase := range phases {
		f.each(slowPerPhase, phase)
	}
	all := int64(slowPerPhase * len(phases))
	for end := time.Now().Add(replyTimeout); f.counts.opened.Load() < all && time.Now().Before(end); {
		time.Sleep(slowInterval)
	}
	return nil, nil
}

// beginBody sends the head of a request with a long body.
func beginBody(a *attacker) error {
	_, err := io.WriteString(a, "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n")
	return err
}

// leaveReplies makes many requests at once and reads no reply, then sends another
// byte by byte until the relay closes the connection.
func (f *flooder) leaveReplies() error {
	a, err := f.open()
	if err != nil {
		return err
	}
	defer f.drop(a)
	request := "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
	if _, err := io.WriteString(a, strings.Repeat(request, unreadReplies)); err != nil {
		return err
	}
	for at := 0; ; at++ {
		time.Sleep(slowInterval)
		if at < len(request)-1 {
			_, err = io.WriteString(a, request[at:at+1])
		}
		if err != nil {
			return err
		}
	}
}

func (f *flooder) upgradePlain(a *attacker) error {
	_, err := f.upgrade(a, upgradeHead)
	return err
}

func (f *flooder) upgradeWebSocket(a *attacker) error {
	_, err := f.upgrade(a, webSocketHead)
	return err
}

// openThen opens a connection, takes a step, and sends bytes one by one until
// the relay closes it. Without bytes it is silent.
func (f *flooder) openThen(open func(*flooder) (*attacker, error), step func(*attacker) error, bytes []byte) error {
	a, err := open(f)
	if err != nil {
		return err
	}
	defer f.drop(a)
	if step != nil {
		if err := step(a); err != nil {
			return err
		}
	}
	closed := make(chan bool)
	go func() {
		io.Copy(io.Discard, a.reader)
		close(closed)
	}()
	for at := 0; ; at++ {
		select {
		case <-closed:
			return errOver
		case <-time.After(slowInterval):
		}
		if at < len(bytes) {
			if _, err := a.Write(bytes[at : at+1]); err != nil {
				return err
			}
		}
	}
}

// halfOpen requests DERP and ends its side, but keeps the connection.
func halfOpen(f *flooder) (func(), error) {
	kept := make(chan *attacker, halfOpenConns)
	return func() {
		f.eachPaced(stormWorkers, halfOpenPerS, func() error {
			a, err := f.openTCP()
			if err != nil {
				return err
			}
			if _, err := io.WriteString(a, upgradeHead); err != nil {
				f.drop(a)
				return err
			}
			a.tcp.CloseWrite()
			for {
				select {
				case kept <- a:
					return nil
				case oldest := <-kept:
					f.drop(oldest)
				}
			}
		})
	}, nil
}

const (
	watchedClients = 1_000
	watchers       = 4
	// presentLen is the least length of a PeerPresent frame.
	presentLen = frameHeaderLen + keyLen
)

// watcherChurn has mesh peers that ask for all clients and leave when they know
// them.
func watcherChurn(f *flooder) (func(), error) {
	if _, err := f.enterOthers(watchedClients); err != nil {
		return nil, err
	}
	infos := make([][]byte, watchers)
	for at := range infos {
		infos[at] = f.meshInfo()
	}
	var next atomic.Int64
	return func() {
		f.each(watchers, func() error {
			a, err := f.enter(upgradeHead, infos[next.Add(1)%watchers])
			if err != nil {
				return err
			}
			defer f.drop(a)
			if err := a.write(frame(frameWatchConns)); err != nil {
				return err
			}
			a.SetDeadline(time.Now().Add(replyTimeout))
			_, err = io.CopyN(io.Discard, a.reader, watchedClients*presentLen)
			return err
		})
	}, nil
}
