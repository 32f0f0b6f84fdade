// Package stock makes stock derphttp clients from plain options.
package stock

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"sync"

	"tailscale.com/derp/derphttp"
	"tailscale.com/envknob"
	"tailscale.com/net/netmon"
	"tailscale.com/tailcfg"
	"tailscale.com/types/key"
	"tailscale.com/types/logger"
)

// Options say which relay to speak to and as whom.
type Options struct {
	URL         string              // of the relay; or else Region
	Region      *tailcfg.DERPRegion // dialled as the stock code dials regions
	PrivateKey  key.NodePrivate     // zero: a fresh one
	MeshKey     string
	IsProber    bool
	CanAckPings bool
	Watch       bool
	CAFile      string // certificates to trust, one file per process
	Insecure    bool   // trust any certificate (dials URL as a region)
	IdealNode   string // sent as Ideal-Node (dials URL as a region)
	Logf        logger.Logf
}

// New makes a client that connects when first used.
func New(o Options) (*derphttp.Client, error) {
	if o.CAFile != "" {
		if err := trust(o.CAFile); err != nil {
			return nil, err
		}
	}
	if o.PrivateKey.IsZero() {
		o.PrivateKey = key.NewNode()
	}
	if o.Logf == nil {
		o.Logf = logger.Discard
	}
	c, err := dialled(o)
	if err != nil {
		return nil, err
	}
	c.MeshKey = o.MeshKey
	c.IsProber = o.IsProber
	c.WatchConnectionChanges = o.Watch
	c.SetCanAckPings(o.CanAckPings)
	return c, nil
}

func dialled(o Options) (*derphttp.Client, error) {
	region := o.Region
	if region == nil && (o.Insecure || o.IdealNode != "") {
		var err error
		if region, err = regionOf(o); err != nil {
			return nil, err
		}
	}
	if region != nil {
		get := func() *tailcfg.DERPRegion { return region }
		return derphttp.NewRegionClient(o.PrivateKey, o.Logf, netmon.NewStatic(), get), nil
	}
	return derphttp.NewClient(o.PrivateKey, o.URL, o.Logf, netmon.NewStatic())
}

// regionOf makes a region of one relay. Only clients of regions can skip the
// check of certificates, and only they send Ideal-Node: when the node they
// reach is not the first. So the ideal node stands first, for STUN only.
func regionOf(o Options) (*tailcfg.DERPRegion, error) {
	u, err := url.Parse(o.URL)
	if err != nil {
		return nil, err
	}
	port, err := portOf(u)
	if err != nil {
		return nil, err
	}
	if plain := envknob.Bool("TS_DEBUG_USE_DERP_HTTP"); plain != (u.Scheme == "http") {
		return nil, fmt.Errorf("insecure and idealNode: %s needs TS_DEBUG_USE_DERP_HTTP=%v", o.URL, !plain)
	}
	node := &tailcfg.DERPNode{
		Name:             "here",
		RegionID:         1,
		HostName:         u.Hostname(),
		DERPPort:         port,
		InsecureForTests: o.Insecure,
	}
	region := &tailcfg.DERPRegion{RegionID: 1, RegionCode: "test", Nodes: []*tailcfg.DERPNode{node}}
	if o.IdealNode != "" {
		ideal := &tailcfg.DERPNode{Name: o.IdealNode, RegionID: 1, HostName: "ideal.invalid", STUNOnly: true}
		region.Nodes = []*tailcfg.DERPNode{ideal, node}
	}
	return region, nil
}

func portOf(u *url.URL) (int, error) {
	switch {
	case u.Port() != "":
		return strconv.Atoi(u.Port())
	case u.Scheme == "https":
		return 443, nil
	case u.Scheme == "http":
		return 80, nil
	}
	return 0, fmt.Errorf("no port known for %q", u)
}

var (
	trustMu sync.Mutex
	trusted string
)

// trust sets the file of root certificates. The stock client takes its roots
// from the system only, which Go reads once: hence one file per process.
func trust(file string) error {
	trustMu.Lock()
	defer trustMu.Unlock()
	if trusted != "" && trusted != file {
		return errors.New("only one CA file per process")
	}
	if _, err := os.Stat(file); err != nil {
		return err
	}
	trusted = file
	return os.Setenv("SSL_CERT_FILE", file)
}
