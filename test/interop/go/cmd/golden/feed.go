package main

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"time"

	"derphttp.test/interop/internal/fixture"
	"derphttp.test/interop/internal/message"
	"derphttp.test/interop/internal/wire"
	"tailscale.com/derp"
	"tailscale.com/types/key"
	"tailscale.com/types/logger"
)

// sentinel is fed behind the bytes in question: if a client reads it as it
// stands, it has consumed all of them and lives.
var sentinel = wire.Encode(wire.Pong, []byte("sentinel"))

// feed gives bytes to a stock client and returns what it made of them.
// With a zero server key the bytes begin with the ServerKey frame.
func feed(private key.NodePrivate, server key.NodePublic, b []byte) ([]message.Message, error) {
	in := bufio.NewReader(bytes.NewReader(append(b[:len(b):len(b)], sentinel...)))
	conn := &sink{}
	rw := bufio.NewReadWriter(in, bufio.NewWriter(conn))
	list := []message.Message{}
	client, err := derp.NewClient(private, conn, rw, logger.Discard, derp.ServerPublicKey(server))
	if err != nil {
		return list, err
	}
	end := message.From(derp.PongMessage([]byte("sentinel")), message.Hex)
	for {
		r, err := client.Recv()
		if err != nil {
			return list, err
		}
		m := message.From(r, message.Hex)
		if m.Type == end.Type && *m.DataHex == *end.DataHex {
			return list, nil
		}
		list = append(list, m)
	}
}

// sink is a connection that swallows what is written.
type sink struct{}

func (*sink) Write(p []byte) (int, error)      { return len(p), nil }
func (*sink) Close() error                     { return nil }
func (*sink) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (*sink) SetDeadline(time.Time) error      { return nil }
func (*sink) SetReadDeadline(time.Time) error  { return nil }
func (*sink) SetWriteDeadline(time.Time) error { return nil }

// reads fills in what a stock client makes of the frame's bytes.
func (f *ServerFrame) reads(b []byte) {
	private, server := fixture.PrivateKey("a"), fixture.PrivateKey("server").Public()
	if f.ReadsServerKey {
		server = key.NodePublic{}
	}
	f.Bytes = bytesOf(b)
	list, err := feed(private, server, b)
	f.Expect = list
	if err != nil {
		f.Error = err.Error()
	}
}

// clientReads are frames that 1.84.1 never sends, or sends in one form only.
func clientReads() []ServerFrame {
	var list []ServerFrame
	add := func(name string, b []byte) {
		f := ServerFrame{Name: name}
		f.reads(b)
		list = append(list, f)
	}
	peer := fixture.PrivateKey("b").Public().AppendTo(nil)
	address := append(make([]byte, 10), 0xff, 0xff, 192, 0, 2, 1, 0xa2, 0xa9)

	add("health: text", wire.Encode(wire.Health, []byte("connected twice")))
	add("health: empty, all is well", wire.Encode(wire.Health))
	add("health: not ASCII", wire.Encode(wire.Health, []byte("schön 🔑")))
	add("restarting", wire.Encode(wire.Restarting, []byte{0, 0, 0x03, 0xe8, 0, 0, 0x27, 0x10}))
	add("restarting: largest values", wire.Encode(wire.Restarting, bytes.Repeat([]byte{0xff}, 8)))
	add("restarting: bytes behind", wire.Encode(wire.Restarting, []byte{0, 0, 0, 1, 0, 0, 0, 2, 9, 9}))
	add("restarting: one byte short, skipped", wire.Encode(wire.Restarting, make([]byte, 7)))
	add("ping", wire.Encode(wire.Ping, []byte("12345678")))
	add("ping: bytes behind", wire.Encode(wire.Ping, []byte("12345678more")))
	add("ping: one byte short, skipped", wire.Encode(wire.Ping, []byte("1234567")))
	add("pong: bytes behind", wire.Encode(wire.Pong, []byte("12345678more")))
	add("pong: one byte short, skipped", wire.Encode(wire.Pong, []byte("1234567")))
	add("keepAlive", wire.Encode(wire.KeepAlive))
	add("keepAlive: with a body", wire.Encode(wire.KeepAlive, []byte{1, 2, 3}))
	add("peerGone: no reason byte", wire.Encode(wire.PeerGone, peer))
	add("peerGone: unknown reason", wire.Encode(wire.PeerGone, peer, []byte{0xf0}))
	add("peerGone: bytes behind", wire.Encode(wire.PeerGone, peer, []byte{1, 2, 3}))
	add("peerGone: one byte short, skipped", wire.Encode(wire.PeerGone, peer[:31]))
	add("peerPresent: key only", wire.Encode(wire.PeerPresent, peer))
	add("peerPresent: half an address", wire.Encode(wire.PeerPresent, peer, address[:17]))
	add("peerPresent: no flags", wire.Encode(wire.PeerPresent, peer, address))
	add("peerPresent: unknown flags, bytes behind", wire.Encode(wire.PeerPresent, peer, address, []byte{0xff}, []byte("app")))
	add("peerPresent: one byte short, skipped", wire.Encode(wire.PeerPresent, peer[:31]))
	add("recvPacket: one byte short, skipped", wire.Encode(wire.RecvPacket, peer[:31]))
	add("recvPacket: longer than a packet may be", wire.Encode(wire.RecvPacket, peer, make([]byte, 65537)))
	add("unknown type, skipped", wire.Encode(0xee, []byte("whatever")))
	add("unknown type 0, skipped", wire.Encode(0))
	add("types of the other direction, skipped", bytes.Join([][]byte{
		wire.Encode(wire.ClientInfo, peer), wire.Encode(wire.SendPacket, peer), wire.Encode(wire.ForwardPacket, peer, peer),
		wire.Encode(wire.NotePreferred, []byte{1}), wire.Encode(wire.WatchConns), wire.Encode(wire.ClosePeer, peer),
	}, nil))
	add("serverKey in the middle, skipped", wire.Encode(wire.ServerKey, []byte("DERP🔑"), peer))
	add("header of 1 MiB and a byte", []byte{wire.RecvPacket, 0, 0x10, 0, 1})
	add("header of 4 GiB", []byte{0xee, 0xff, 0xff, 0xff, 0xff})
	add("two frames in a row", append(wire.Encode(wire.Ping, []byte("12345678")), wire.Encode(wire.Health)...))
	list = append(list, greetings()...)
	return append(list, serverInfos()...)
}

// greetings are ServerKey frames at the start of a connection.
func greetings() []ServerFrame {
	var list []ServerFrame
	server := fixture.PrivateKey("server").Public().AppendTo(nil)
	add := func(name string, b []byte) {
		f := ServerFrame{Name: "login: " + name, ReadsServerKey: true}
		f.reads(b)
		list = append(list, f)
	}
	magic := []byte("DERP🔑")
	add("serverKey", wire.Encode(wire.ServerKey, magic, server))
	add("serverKey with bytes behind", wire.Encode(wire.ServerKey, magic, server, []byte("reserved")))
	add("serverKey of 1024 bytes", wire.Encode(wire.ServerKey, magic, server, make([]byte, 984)))
	add("serverKey of 1025 bytes", wire.Encode(wire.ServerKey, magic, server, make([]byte, 985)))
	add("serverKey one byte short", wire.Encode(wire.ServerKey, magic, server[:31]))
	add("wrong magic", wire.Encode(wire.ServerKey, []byte("DERP🔒"), server))
	add("another frame first", wire.Encode(wire.Health, magic, server))
	return list
}

// serverInfos are boxes from the relay that only the reader's key opens.
func serverInfos() []ServerFrame {
	var list []ServerFrame
	reader, server := fixture.PrivateKey("a"), fixture.PrivateKey("server")
	fixRandom("server infos")
	add := func(name string, body []byte) {
		f := ServerFrame{
			Name:            "serverInfo: " + name,
			PrivateKey:      text(reader),
			ServerPublicKey: server.Public().String(),
		}
		f.reads(wire.Encode(wire.ServerInfo, body))
		list = append(list, f)
	}
	sealed := func(json string) []byte { return server.SealTo(reader.Public(), []byte(json)) }
	add("empty object", sealed(`{}`))
	add("limits", sealed(`{"version":2,"TokenBucketBytesPerSecond":1000000,"TokenBucketBytesBurst":2000000}`))
	add("other letter case, unknown keys, spaces", sealed(` {"tokenbucketbytespersecond": 5, "x": [1], "VERSION": 3} `))
	add("null", sealed(`null`))
	add("wrong type", sealed(`{"TokenBucketBytesPerSecond":"fast"}`))
	add("fraction", sealed(`{"TokenBucketBytesPerSecond":1.5}`))
	add("not JSON", sealed(`version 2`))
	add("empty box", sealed(``))
	add("shorter than a nonce", make([]byte, 23))
	add("for another key", server.SealTo(fixture.PrivateKey("b").Public(), []byte(`{}`)))
	add("zeros", make([]byte, 64))
	for i := range list {
		if list[i].Error == "" && len(list[i].Expect) != 1 {
			panic(fmt.Sprintf("%s: %d messages", list[i].Name, len(list[i].Expect)))
		}
	}
	return list
}
