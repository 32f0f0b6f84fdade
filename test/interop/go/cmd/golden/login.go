package main

import (
	"encoding/hex"
	"fmt"

	"derphttp.test/interop/internal/fixture"
	"derphttp.test/interop/internal/wire"
	"tailscale.com/types/key"
)

type loginFile struct {
	Provenance Provenance `json:"provenance"`
	Logins     []Login    `json:"logins"`
	Upgrades   []upgrade  `json:"upgrades"`
}

// Login is one login with the bytes of both halves, and how the server took it.
type Login struct {
	Name             string `json:"name"`
	ServerPrivateKey string `json:"serverPrivateKey"`
	ServerPublicKey  string `json:"serverPublicKey"`
	ClientPrivateKey string `json:"clientPrivateKey"`
	ClientPublicKey  string `json:"clientPublicKey"`
	ServerMeshKey    string `json:"serverMeshKey"`
	RemoteAddr       string `json:"remoteAddr"`
	KnowsServerKey   bool   `json:"knowsServerKey,omitempty"` // ClientInfo was written before ServerKey was read

	ServerKeyHex  string `json:"serverKeyHex,omitempty"` // whole frames
	ClientInfoHex string `json:"clientInfoHex"`
	ServerInfoHex string `json:"serverInfoHex,omitempty"`

	ClientNonceHex string `json:"clientNonceHex,omitempty"`
	ClientInfoJSON string `json:"clientInfoJSON"` // what the box holds, to the byte
	ServerNonceHex string `json:"serverNonceHex,omitempty"`
	ServerInfoJSON string `json:"serverInfoJSON,omitempty"`

	PresentFlags int `json:"presentFlags"` // as watchers are told
}

func loginVectors() loginFile {
	wrong := "00" + fixture.MeshKey[2:]
	guests := []struct {
		name  string
		guest wire.Guest
	}{
		{"regular", wire.Guest{}},
		{"answers pings", wire.Guest{CanAckPings: true}},
		{"prober", wire.Guest{IsProber: true}},
		{"mesh peer", wire.Guest{MeshKey: fixture.MeshKey}},
		{"wrong mesh key", wire.Guest{MeshKey: wrong}},
		{"everything", wire.Guest{MeshKey: fixture.MeshKey, IsProber: true, CanAckPings: true}},
		{"server key known beforehand", wire.Guest{CanAckPings: true, KnowsServerKey: true}},
	}
	f := loginFile{Provenance: provenance(
		"nonces come from a fixed stream in place of crypto/rand, so that the file can be made again",
		"upgrades: the head of the request as the stock client writes it, of the response as the stock handler does",
	)}
	for i, g := range guests {
		g.guest.PrivateKey = fixture.PrivateKey("login " + g.name)
		g.guest.RemoteAddr = fmt.Sprintf("192.0.2.1:%d", 1000+i)
		f.Logins = append(f.Logins, recordLogin(g.name, g.guest))
	}
	f.Upgrades = upgrades()
	return f
}

func recordLogin(name string, g wire.Guest) Login {
	server := fixture.PrivateKey("server")
	relay := wire.NewRelay(server, fixture.MeshKey)
	defer relay.Close()
	watcher := need(watch(relay))
	fixRandom("login " + name)
	p := need(relay.Connect(g))
	serverKey, serverInfo := need(p.Tap.Received()), need(p.Tap.Received())
	clientInfo := need(p.Tap.Sent())
	present := need(watcher.Next("peerPresent"))

	body := clientInfo[wire.HeaderLen:]
	clientBox, serverBox := body[key.NodePublicRawLen:], serverInfo[wire.HeaderLen:]
	return Login{
		Name:             name,
		ServerPrivateKey: text(server),
		ServerPublicKey:  server.Public().String(),
		ClientPrivateKey: text(g.PrivateKey),
		ClientPublicKey:  g.PrivateKey.Public().String(),
		ServerMeshKey:    fixture.MeshKey,
		RemoteAddr:       g.RemoteAddr,
		KnowsServerKey:   g.KnowsServerKey,
		ServerKeyHex:     hex.EncodeToString(serverKey),
		ClientInfoHex:    hex.EncodeToString(clientInfo),
		ServerInfoHex:    hex.EncodeToString(serverInfo),
		ClientNonceHex:   hex.EncodeToString(clientBox[:24]),
		ClientInfoJSON:   opened(server, g.PrivateKey.Public(), clientBox),
		ServerNonceHex:   hex.EncodeToString(serverBox[:24]),
		ServerInfoJSON:   opened(g.PrivateKey, server.Public(), serverBox),
		PresentFlags:     *present.Flags,
	}
}

// watch logs a watcher in and waits until it has been told of itself.
func watch(relay wire.Relay) (*wire.Peer, error) {
	watcher, err := relay.Connect(wire.Guest{
		PrivateKey: fixture.PrivateKey("watcher"),
		RemoteAddr: "198.51.100.9:443",
		MeshKey:    relay.MeshKey(),
	})
	if err != nil {
		return nil, err
	}
	if err := watcher.WatchConnectionChanges(); err != nil {
		return nil, err
	}
	_, err = watcher.Next("peerPresent")
	return watcher, err
}

func opened(by key.NodePrivate, from key.NodePublic, box []byte) string {
	plain, ok := by.OpenFrom(from, box)
	if !ok {
		panic("a recorded box does not open")
	}
	return string(plain)
}
