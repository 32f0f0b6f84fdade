package main

import (
	"bufio"
	"crypto/rand"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"go4.org/mem"
	"tailscale.com/net/stun"
	"tailscale.com/types/key"
)

const (
	// announcedPerSec is the number of clients that a mesh peer announces.
	announcedPerSec = 80_000
	announcedAtOnce = 800
	stunPerSec      = 75_000
	stunSockets     = 4
	stunAtOnce      = 75
)

// meshInfo is the ClientInfo of a mesh peer.
func (f *flooder) meshInfo() []byte {
	secret, _ := os.ReadFile(f.meshKeyFile)
	return f.plainInfo(key.NewNode(), strings.TrimSpace(string(secret)))
}

// announce is a mesh peer that the relay dials, and that announces clients
// without end.
func announce(f *flooder) (func(), error) {
	certificate, err := tls.LoadX509KeyPair(f.certFile, f.keyFile)
	if err != nil {
		return nil, err
	}
	listener, err := tls.Listen("tcp", f.listen, &tls.Config{Certificates: []tls.Certificate{certificate}})
	if err != nil {
		return nil, err
	}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go f.serveLink(conn)
		}
	}()
	return nil, nil
}

func (f *flooder) serveLink(conn net.Conn) error {
	defer conn.Close()
	f.counts.opened.Add(1)
	private := key.NewNode()
	reader := bufio.NewReader(conn)
	if _, err := http.ReadRequest(reader); err != nil {
		return err
	}
	io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: DERP\r\nConnection: Upgrade\r\n\r\n")
	conn.Write(frame(frameServerKey, []byte(serverMagic), private.Public().AppendTo(nil)))
	header := make([]byte, frameHeaderLen+keyLen)
	if _, err := io.ReadFull(reader, header); err != nil {
		return err
	}
	if header[0] != frameClientInfo {
		return errors.New("no ClientInfo")
	}
	client := key.NodePublicFromRaw32(mem.B(header[frameHeaderLen:]))
	info, _ := json.Marshal(map[string]int{"version": 2})
	conn.Write(frame(frameServerInfo, private.SealTo(client, info)))
	go io.Copy(io.Discard, reader)
	keys := make([]byte, announcedAtOnce*keyLen)
	for began, sent := time.Now(), 0; ; sent += announcedAtOnce {
		time.Sleep(time.Until(began.Add(time.Duration(float64(sent) / announcedPerSec * float64(time.Second)))))
		rand.Read(keys)
		var frames []byte
		for at := 0; at < len(keys); at += keyLen {
			frames = append(frames, frame(framePeerPresent, keys[at:at+keyLen])...)
		}
		n, err := conn.Write(frames)
		f.counts.bytes.Add(int64(n))
		if err != nil {
			f.counts.failed.Add(1)
			return err
		}
	}
}

// stunRequests sends requests, and counts answers.
func stunRequests(f *flooder) (func(), error) {
	request := stun.Request(stun.NewTxID())
	conns := make([]net.Conn, stunSockets)
	for at := range conns {
		conn, err := net.Dial("udp", f.to)
		if err != nil {
			return nil, err
		}
		conns[at] = conn
		go func() {
			answer := make([]byte, 1_500)
			for {
				if _, err := conn.Read(answer); err == nil {
					f.counts.answered.Add(1)
				}
			}
		}()
	}
	return func() {
		for _, conn := range conns {
			f.eachPaced(1, stunPerSec/stunSockets/stunAtOnce, func() error {
				for range stunAtOnce {
					if n, err := conn.Write(request); err == nil {
						f.counts.bytes.Add(int64(n))
					}
				}
				return nil
			})
		}
	}, nil
}
