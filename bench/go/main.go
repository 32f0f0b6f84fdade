// Load puts load on a DERP relay with stock clients and reports results.
//
// It prints JSON lines: {"event":"ready"} when its clients are connected and
// warmed up, {"event":"result",...} at the end. With -duration 0 it runs until
// standard input ends.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"time"
)

// settings are the flags; each scenario reads those that it needs.
type settings struct {
	url, ca  string
	to       string
	pid      int
	alsoPids pidList
	pairs    int
	size     int
	window   int
	rate     float64
	clients  int
	workers  int
	attack   string
	backlog  bool
	// seed, urls and home say whose keys and relay the clients of a region have.
	seed, urls string
	home       int
	// listen is where a hostile mesh peer is dialled.
	listen, certFile, keyFile, meshKeyFile string
	warmup                                 time.Duration
	duration                               time.Duration
	region                                 regionSettings
}

// scenarios by name, in usage order.
var scenarios = map[string]func(settings) (any, error){
	"flow":     flow,
	"pingpong": pingPong,
	"login":    login,
	"idle":     idle,
	"stall":    stall,
	"paced":    paced,
	"flood":    flood,
	"crowd":    crowd,
	"region":   runRegion,
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("load: ")
	if len(os.Args) < 2 || scenarios[os.Args[1]] == nil {
		log.Fatal("usage: load flow|pingpong|login|idle|stall|paced|flood|crowd|region -url URL [flags]")
	}
	name := os.Args[1]
	result, err := scenarios[name](parse(name, os.Args[2:]))
	if err != nil {
		log.Fatalf("%s: %v", name, err)
	}
	say("result", result)
}

func parse(name string, args []string) settings {
	var s settings
	flags := flag.NewFlagSet(name, flag.ExitOnError)
	flags.StringVar(&s.url, "url", "", "the relay, http://host:port/derp; its port is dialled on loopback")
	flags.StringVar(&s.ca, "ca", "", "CA file")
	flags.IntVar(&s.pid, "pid", 0, "process ID of the relay, to read its CPU time; 0 for none")
	flags.StringVar(&s.to, "to", "", "the relay of the receivers, a mesh peer of the first; empty for the same relay; of a flood of STUN, the address")
	flags.Var(&s.alsoPids, "also-pids", "comma-separated process IDs whose CPU time is added, such as that relay's")
	flags.IntVar(&s.pairs, "pairs", 20, "pairs of a sender and a receiver")
	flags.IntVar(&s.size, "size", 1280, "bytes per packet, at least 16")
	flags.IntVar(&s.window, "window", 32, "maximum of packets in flight per pair")
	flags.Float64Var(&s.rate, "rate", 0, "packets per second of all pairs together; 0 for unlimited")
	flags.IntVar(&s.clients, "clients", 1000, "idle clients, or readers")
	flags.IntVar(&s.workers, "workers", 16, "maximum of concurrent logins")
	flags.StringVar(&s.attack, "attack", "none", "kind of flood")
	flags.BoolVar(&s.backlog, "backlog", false, "closes all connections of a flood, and waits until the relay is idle")
	flags.StringVar(&s.listen, "listen", "", "address of a hostile mesh peer")
	flags.StringVar(&s.certFile, "cert", "", "its certificate")
	flags.StringVar(&s.keyFile, "key", "", "the key of that")
	flags.StringVar(&s.meshKeyFile, "mesh-key", "", "file with the mesh key")
	flags.StringVar(&s.seed, "seed", "", "what the keys of a region's clients are derived from")
	flags.StringVar(&s.urls, "urls", "", "comma-separated URLs of a region's relays")
	flags.IntVar(&s.home, "home", 0, "index of the clients' relay among them")
	flags.DurationVar(&s.warmup, "warmup", time.Second, "time before the measured window")
	flags.DurationVar(&s.duration, "duration", 2*time.Second, "the measured window; 0: until standard input ends")
	r := &s.region
	flags.StringVar(&r.relays, "relays", "", "URLs of the relays of a region")
	flags.DurationVar(&r.session, "session", time.Hour, "mean time for which a client of a region stays connected")
	flags.DurationVar(&r.away, "away", time.Second, "mean time until it connects again")
	flags.Float64Var(&r.stay, "stay", 1, "share of clients that return to the same relay")
	flags.Float64Var(&r.locality, "locality", 0, "share of peers at the same relay")
	flags.Float64Var(&r.replies, "replies", 0, "share of packets that are replied to")
	flags.IntVar(&r.peers, "peers", 1, "clients that a client sends to")
	flags.DurationVar(&r.flowEvery, "flow-every", time.Second, "mean time between flows that a client starts")
	flags.IntVar(&r.flowPackets, "flow-packets", 100, "packets of a flow")
	flags.IntVar(&r.burst, "burst", 1, "packets of a flow that are sent together")
	flags.Float64Var(&r.flowRate, "flow-rate", 100, "packets per second within a flow")
	flags.Parse(args)
	if s.url == "" || s.size < stampLen || s.pairs < 1 || s.window < 1 || s.workers < 1 {
		log.Fatal("-url is missing, or -size, -pairs, -window or -workers is too small")
	}
	return s
}

// say prints one event.
func say(event string, data any) {
	line, err := json.Marshal(struct {
		Event string `json:"event"`
		Data  any    `json:"data,omitempty"`
	}{event, data})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s\n", line)
}

// wait returns at the end of the measured window.
func (s settings) wait() {
	if s.duration > 0 {
		time.Sleep(s.duration)
		return
	}
	io.Copy(io.Discard, os.Stdin)
}
