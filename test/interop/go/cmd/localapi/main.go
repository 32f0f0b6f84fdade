// Localapi runs a stock tailscaled that is logged in to Tailscale's own control
// server for tests, both on loopback, and asks it by the stock client of its
// LocalAPI.
//
// It is started with the path of tailscaled and a directory for its state, and
// may be given a file with the DERP map that control hands out. It prints one
// JSON line when all is up: where the socket is, the daemon's own key and that of
// a peer, and with a map the code of the region that the daemon has made its
// home. Then it answers each key on standard input by a line:
// "found", "not found" or "error: " and the reason. It ends with its input.
package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http/httptest"
	"net/netip"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"tailscale.com/client/local"
	"tailscale.com/ipn"
	"tailscale.com/tailcfg"
	"tailscale.com/tstest/integration/testcontrol"
	"tailscale.com/types/key"
	"tailscale.com/types/logger"
)

const patience = 60 * time.Second

type ready struct {
	Socket string         `json:"socket"`
	Self   key.NodePublic `json:"self"`
	Peer   key.NodePublic `json:"peer"`
	Home   string         `json:"home,omitempty"`
}

func main() {
	log.SetFlags(0)
	if len(os.Args) != 3 && len(os.Args) != 4 {
		log.Fatal("usage: localapi TAILSCALED DIRECTORY [DERPMAP]")
	}
	derpMap, err := readMap(os.Args[3:])
	if err == nil {
		err = run(os.Args[1], os.Args[2], derpMap)
	}
	if err != nil {
		log.Fatal(err)
	}
}

// readMap reads the file that is named, if one is.
func readMap(files []string) (*tailcfg.DERPMap, error) {
	if len(files) == 0 {
		return nil, nil
	}
	text, err := os.ReadFile(files[0])
	if err != nil {
		return nil, err
	}
	var derpMap tailcfg.DERPMap
	return &derpMap, json.Unmarshal(text, &derpMap)
}

// run keeps the daemon from the relays of the world; without a map it has none.
func run(tailscaled, dir string, derpMap *tailcfg.DERPMap) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	control := &testcontrol.Server{Logf: logger.Discard, DERPMap: cmp.Or(derpMap, emptyMap())}
	control.HTTPTestServer = httptest.NewServer(control)

	socket := filepath.Join(dir, "tailscaled.sock")
	// The daemon ends when the other end of its pipe is closed, however this program ends.
	theirs, ours, err := os.Pipe()
	if err != nil {
		return err
	}
	defer ours.Close()
	daemon, err := start(tailscaled, dir, socket, control.BaseURL(), theirs)
	if err != nil {
		return err
	}
	stop := func() {
		daemon.Process.Kill()
		daemon.Wait()
	}
	defer stop()
	go func() {
		signals := make(chan os.Signal, 1)
		signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
		<-signals
		stop()
		os.Exit(0)
	}()

	api := &local.Client{Socket: socket, UseSocketOnly: true}
	self, err := logIn(ctx, api, control.BaseURL())
	if err != nil {
		return err
	}
	peer, err := addPeer(ctx, control, api, self)
	if err != nil {
		return err
	}
	home := ""
	if derpMap != nil {
		if home, err = awaitHome(ctx, api); err != nil {
			return err
		}
	}
	line, err := json.Marshal(ready{socket, self, peer, home})
	if err != nil {
		return err
	}
	fmt.Println(string(line))
	return answer(api)
}

// emptyMap keeps the daemon from the relays of the world: one region, nobody there.
func emptyMap() *tailcfg.DERPMap {
	node := &tailcfg.DERPNode{
		Name:     "1a",
		RegionID: 1,
		HostName: "127.0.0.1",
		IPv4:     "127.0.0.1",
		IPv6:     "none",
		STUNPort: -1,
		DERPPort: 1,
	}
	region := &tailcfg.DERPRegion{RegionID: 1, RegionCode: "none", Nodes: []*tailcfg.DERPNode{node}}
	return &tailcfg.DERPMap{Regions: map[int]*tailcfg.DERPRegion{1: region}, OmitDefaultRegions: true}
}

func start(tailscaled, dir, socket, controlURL string, parent *os.File) (*exec.Cmd, error) {
	flags := []string{"--tun=userspace-networking", "--statedir=" + dir, "--socket=" + socket, "--port=0", "--no-logs-no-support"}
	cmd := exec.Command(tailscaled, flags...)
	cmd.Env = append(os.Environ(),
		"TS_LOGS_DIR="+dir,
		"TS_ASSUME_NETWORK_UP_FOR_TEST=1",
		"TS_PANIC_IF_HIT_MAIN_CONTROL=1",
		"TS_DISABLE_PORTMAPPER=1",
		"TS_NETCHECK_GENERATE_204_URL="+controlURL+"/generate_204",
		"TS_PARENT_DEATH_FD=3",
	)
	cmd.Stderr = os.Stderr
	cmd.ExtraFiles = []*os.File{parent}
	return cmd, cmd.Start()
}

// logIn logs the daemon in and tells its key.
func logIn(ctx context.Context, api *local.Client, controlURL string) (key.NodePublic, error) {
	prefs := ipn.NewPrefs()
	prefs.ControlURL = controlURL
	prefs.WantRunning = true
	var self key.NodePublic
	started := false
	err := until(ctx, "tailscaled is logged in", func() bool {
		if !started {
			started = api.Start(ctx, ipn.Options{UpdatePrefs: prefs}) == nil && api.StartLoginInteractive(ctx) == nil
		}
		status, err := api.Status(ctx)
		if err != nil || status.BackendState != ipn.Running.String() {
			return false
		}
		self = status.Self.PublicKey
		return true
	})
	return self, err
}

// awaitHome waits until the daemon has chosen its home region.
func awaitHome(ctx context.Context, api *local.Client) (string, error) {
	home := ""
	err := until(ctx, "tailscaled has a home region", func() bool {
		status, err := api.Status(ctx)
		if err != nil || status.Self.Relay == "" {
			return false
		}
		home = status.Self.Relay
		return true
	})
	return home, err
}

// addPeer tells the daemon of another node of its user.
func addPeer(ctx context.Context, control *testcontrol.Server, api *local.Client, self key.NodePublic) (key.NodePublic, error) {
	peer := control.Node(self)
	peer.ID++
	peer.StableID = "PEER"
	peer.Name = "peer.fake-control.example.net."
	peer.Key = key.NewNode().Public()
	peer.Machine = key.NewMachine().Public()
	peer.DiscoKey = key.NewDisco().Public()
	peer.Addresses = []netip.Prefix{netip.MustParsePrefix("100.64.9.9/32")}
	peer.AllowedIPs = peer.Addresses
	news := &tailcfg.MapResponse{PeersChanged: []*tailcfg.Node{peer}}
	err := until(ctx, "tailscaled listens to control", func() bool { return control.AddRawMapResponse(self, news) })
	if err != nil {
		return peer.Key, err
	}
	return peer.Key, until(ctx, "tailscaled knows its peer", func() bool {
		_, err := api.WhoIsNodeKey(ctx, peer.Key)
		return err == nil
	})
}

func until(ctx context.Context, what string, done func() bool) error {
	for !done() {
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait until %s: %w", what, ctx.Err())
		case <-time.After(50 * time.Millisecond):
		}
	}
	return nil
}

func answer(api *local.Client) error {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var k key.NodePublic
		if err := k.UnmarshalText(lines.Bytes()); err != nil {
			return err
		}
		_, err := api.WhoIsNodeKey(context.Background(), k)
		switch {
		case err == nil:
			fmt.Println("found")
		case errors.Is(err, local.ErrPeerNotFound):
			fmt.Println("not found")
		default:
			fmt.Println("error:", err)
		}
	}
	return lines.Err()
}
