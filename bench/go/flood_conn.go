package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"go4.org/mem"
	"tailscale.com/types/key"
)

// Frame types and sizes of the protocol.
const (
	frameServerKey   = 0x01
	frameClientInfo  = 0x02
	frameServerInfo  = 0x03
	frameSendPacket  = 0x04
	framePeerPresent = 0x09
	frameWatchConns  = 0x10
	frameHeaderLen   = 5
	keyLen           = 32
	// Longest ClientInfo frame that relays take.
	maxClientInfoLen = 256 << 10
)

const serverMagic = "DERP🔑"

// replyTimeout bounds the steps of a login.
const replyTimeout = 20 * time.Second

// attacker is one connection to the relay.
type attacker struct {
	net.Conn
	// tcp is the connection below TLS.
	tcp    *net.TCPConn
	reader *bufio.Reader
	// isWebSocket is set once it carries messages.
	isWebSocket bool
}

// counted counts what is written.
type counted struct {
	*net.TCPConn
	flooder *flooder
}

func (c counted) Write(bytes []byte) (int, error) {
	n, err := c.TCPConn.Write(bytes)
	c.flooder.counts.bytes.Add(int64(n))
	return n, err
}

// open connects, without a request.
func (f *flooder) open() (*attacker, error) {
	a, err := f.openTCP()
	if err != nil || !f.isTLS {
		return a, err
	}
	return f.startTLS(a, a.Conn)
}

// openTCP connects, without TLS.
func (f *flooder) openTCP() (*attacker, error) {
	source := net.IPv4(127, 0, 0, byte(2+dialled.Add(1)%sourceAddresses))
	from := net.Dialer{LocalAddr: &net.TCPAddr{IP: source}, Timeout: replyTimeout}
	conn, err := from.Dial("tcp", f.address)
	if err != nil {
		return nil, err
	}
	tcp := conn.(*net.TCPConn)
	f.counts.opened.Add(1)
	f.mu.Lock()
	f.conns[tcp] = true
	f.mu.Unlock()
	carrier := counted{tcp, f}
	return &attacker{Conn: carrier, tcp: tcp, reader: bufio.NewReaderSize(carrier, 512)}, nil
}

// startTLS makes the handshake over a carrier of the connection.
func (f *flooder) startTLS(a *attacker, carrier net.Conn) (*attacker, error) {
	secure := tls.Client(carrier, &tls.Config{InsecureSkipVerify: true, ServerName: "localhost"})
	a.SetDeadline(time.Now().Add(replyTimeout))
	if err := secure.Handshake(); err != nil {
		f.drop(a)
		return nil, err
	}
	a.SetDeadline(time.Time{})
	return &attacker{Conn: secure, tcp: a.tcp, reader: bufio.NewReaderSize(secure, 512)}, nil
}

// drop closes a connection with a reset, so that its port is free at once.
func (f *flooder) drop(a *attacker) {
	a.tcp.SetLinger(0)
	a.tcp.Close()
	f.mu.Lock()
	delete(f.conns, a.tcp)
	f.mu.Unlock()
}

const upgradeHead = "GET /derp HTTP/1.1\r\nHost: localhost\r\nUpgrade: DERP\r\nConnection: Upgrade\r\n\r\n"

const webSocketHead = "GET /derp HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n" +
	"Sec-WebSocket-Protocol: derp\r\n\r\n"

// upgrade requests DERP and reads the relay's key.
func (f *flooder) upgrade(a *attacker, head string) (key.NodePublic, error) {
	var none key.NodePublic
	a.SetDeadline(time.Now().Add(replyTimeout))
	defer a.SetDeadline(time.Time{})
	if _, err := io.WriteString(a, head); err != nil {
		return none, err
	}
	status, err := a.reader.ReadString('\n')
	if err != nil {
		return none, err
	}
	if !strings.Contains(status, " 101 ") {
		return none, fmt.Errorf("upgrade: %q", status)
	}
	for line := ""; line != "\r\n"; {
		if line, err = a.reader.ReadString('\n'); err != nil {
			return none, err
		}
	}
	a.isWebSocket = head == webSocketHead
	kind, body, err := a.readFrame()
	if err != nil {
		return none, err
	}
	if kind != frameServerKey || len(body) < len(serverMagic)+keyLen {
		return none, errors.New("no ServerKey")
	}
	return key.NodePublicFromRaw32(mem.B(body[len(serverMagic):][:keyLen])), nil
}

// readFrame reads a frame. Over WebSocket a message has to hold exactly one.
func (a *attacker) readFrame() (byte, []byte, error) {
	for a.isWebSocket {
		opcode, err := a.readMessageHead()
		if err != nil {
			return 0, nil, err
		}
		if opcode == opBinary {
			break
		}
	}
	header := make([]byte, frameHeaderLen)
	if _, err := io.ReadFull(a.reader, header); err != nil {
		return 0, nil, err
	}
	body := make([]byte, binary.BigEndian.Uint32(header[1:]))
	_, err := io.ReadFull(a.reader, body)
	return header[0], body, err
}

// readMessageHead reads the head of a WebSocket message, and all of a control
// message.
func (a *attacker) readMessageHead() (byte, error) {
	head := make([]byte, 2)
	if _, err := io.ReadFull(a.reader, head); err != nil {
		return 0, err
	}
	opcode, length := head[0]&0x0f, int(head[1]&0x7f)
	if length >= 126 {
		long := make([]byte, 2)
		if length == 127 {
			long = make([]byte, 8)
		}
		if _, err := io.ReadFull(a.reader, long); err != nil {
			return 0, err
		}
	} else if opcode != opBinary {
		a.reader.Discard(length)
	}
	return opcode, nil
}

// write sends bytes, over WebSocket as one message.
func (a *attacker) write(bytes []byte) error {
	if a.isWebSocket {
		bytes = message(opBinary, true, bytes)
	}
	_, err := a.Write(bytes)
	return err
}

// waitForServerInfo returns once the relay has registered the client.
func (f *flooder) waitForServerInfo(a *attacker) error {
	a.SetDeadline(time.Now().Add(replyTimeout))
	defer a.SetDeadline(time.Time{})
	for {
		kind, _, err := a.readFrame()
		if err != nil {
			return err
		}
		if kind == frameServerInfo {
			f.counts.letIn.Add(1)
			return nil
		}
	}
}

// enter opens a connection and logs it in.
func (f *flooder) enter(head string, clientInfo []byte) (*attacker, error) {
	a, err := f.open()
	if err != nil {
		return nil, err
	}
	if err := f.login(a, head, clientInfo); err != nil {
		f.drop(a)
		return nil, err
	}
	return a, nil
}

func (f *flooder) login(a *attacker, head string, clientInfo []byte) error {
	if _, err := f.upgrade(a, head); err != nil {
		return err
	}
	if err := a.write(clientInfo); err != nil {
		return err
	}
	return f.waitForServerInfo(a)
}

// ignore reads whatever the relay sends.
func (a *attacker) ignore() {
	go io.Copy(io.Discard, a.reader)
}

// learnKey asks for the relay's key.
func (f *flooder) learnKey() error {
	a, err := f.open()
	if err != nil {
		return err
	}
	defer f.drop(a)
	f.serverKey, err = f.upgrade(a, upgradeHead)
	return err
}

// frame is a frame with this body.
func frame(kind byte, body ...[]byte) []byte {
	all := bytes.Join(body, nil)
	return append(binary.BigEndian.AppendUint32([]byte{kind}, uint32(len(all))), all...)
}

// clientInfo is a frame with this JSON, sealed by a client's key.
func (f *flooder) clientInfo(client key.NodePrivate, text []byte) []byte {
	return frame(frameClientInfo, client.Public().AppendTo(nil), client.SealTo(f.serverKey, text))
}

// plainInfo is what an ordinary client tells, or a mesh peer.
func (f *flooder) plainInfo(client key.NodePrivate, meshKey string) []byte {
	text, _ := json.Marshal(map[string]any{"version": 2, "meshKey": meshKey})
	return f.clientInfo(client, text)
}

// newInfo is the ClientInfo of a new client.
func (f *flooder) newInfo() []byte {
	return f.plainInfo(key.NewNode(), "")
}

// infos are those of several new clients.
func (f *flooder) infos(count int) [][]byte {
	all := make([][]byte, count)
	for at := range all {
		all[at] = f.newInfo()
	}
	return all
}
