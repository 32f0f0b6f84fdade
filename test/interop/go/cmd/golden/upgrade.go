package main

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"

	"derphttp.test/interop/internal/fixture"
	"derphttp.test/interop/internal/wire"
	"tailscale.com/derp/derphttp"
	"tailscale.com/net/netmon"
	"tailscale.com/tailcfg"
	"tailscale.com/types/logger"
)

// upgrade is one HTTP exchange that turned into DERP.
type upgrade struct {
	Name     string `json:"name"`
	Request  string `json:"request"`
	Response string `json:"response"` // empty after a fast start
}

func upgrades() []upgrade {
	plain := recordUpgrade(false, func(address string) *derphttp.Client {
		c := need(derphttp.NewClient(fixture.PrivateKey("a"), "http://relay.test/derp", logger.Discard, netmon.NewStatic()))
		c.SetURLDialer(func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, address)
		})
		return c
	})
	fast := recordUpgrade(true, func(address string) *derphttp.Client { return regionClient(address, false) })
	ideal := recordUpgrade(true, func(address string) *derphttp.Client { return regionClient(address, true) })
	plain.Name, fast.Name, ideal.Name = "by URL over http", "fast start of a region's first node", "fast start of another node"
	return []upgrade{plain, fast, ideal}
}

// regionClient dials a region of one relay, behind another node if asked to.
func regionClient(address string, behind bool) *derphttp.Client {
	port := need(net.ResolveTCPAddr("tcp", address)).Port
	region := &tailcfg.DERPRegion{RegionID: 1, RegionCode: "test", Nodes: []*tailcfg.DERPNode{{
		Name: "1b", RegionID: 1, HostName: "relay.test", IPv4: "127.0.0.1", IPv6: "none", DERPPort: port, InsecureForTests: true,
	}}}
	if behind {
		first := &tailcfg.DERPNode{Name: "1a", RegionID: 1, HostName: "ideal.invalid", STUNOnly: true}
		region.Nodes = []*tailcfg.DERPNode{first, region.Nodes[0]}
	}
	get := func() *tailcfg.DERPRegion { return region }
	return derphttp.NewRegionClient(fixture.PrivateKey("a"), logger.Discard, netmon.NewStatic(), get)
}

// recordUpgrade serves a stock relay on loopback and keeps what passes it,
// beneath HTTP and above TLS.
func recordUpgrade(overTLS bool, newClient func(address string) *derphttp.Client) upgrade {
	relay := wire.NewRelay(fixture.PrivateKey("server"), fixture.MeshKey)
	defer relay.Close()
	taps := make(chan *wire.Tap, 1)
	var listener net.Listener = need(net.Listen("tcp", "127.0.0.1:0"))
	address := listener.Addr().String()
	if overTLS {
		listener = tls.NewListener(listener, certified(relay))
	}
	served := &http.Server{Handler: derphttp.Handler(relay.Server)}
	defer served.Close()
	go served.Serve(tapped{listener, taps})

	c := newClient(address)
	defer c.Close()
	must(c.Connect(context.Background()))
	need(c.Recv()) // ServerInfo: the login is over

	// The tap sits at the server: what it read came from the client.
	toClient, toServer := (<-taps).All()
	request, _ := cutHead(toServer)
	response, ok := cutHead(toClient)
	if !ok {
		response = ""
	}
	return upgrade{Request: request, Response: response}
}

func cutHead(b []byte) (string, bool) {
	head, _, ok := strings.Cut(string(b), "\r\n\r\n")
	return head + "\r\n\r\n", ok
}

// certified borrows the certificate of httptest and adds the relay's own.
func certified(relay wire.Relay) *tls.Config {
	borrowed := httptest.NewTLSServer(nil)
	defer borrowed.Close()
	leaf := borrowed.TLS.Certificates[0]
	config := &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		return &tls.Certificate{Certificate: leaf.Certificate[:1:1], PrivateKey: leaf.PrivateKey}, nil
	}}
	relay.ModifyTLSConfigToAddMetaCert(config)
	return config
}

// tapped is a listener that records its connections.
type tapped struct {
	net.Listener
	taps chan *wire.Tap
}

func (t tapped) Accept() (net.Conn, error) {
	c, err := t.Listener.Accept()
	if err != nil {
		return nil, err
	}
	tap := wire.NewTap(c)
	select {
	case t.taps <- tap:
	default:
		return nil, io.EOF
	}
	return tap, nil
}
