// Derpclient drives stock derphttp clients by JSON lines: requests on standard
// input, replies and events on standard output. The README of the folder
// test/interop says what the lines hold.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"sync"

	"derphttp.test/interop/internal/stock"
	"tailscale.com/tailcfg"
	"tailscale.com/types/key"
	"tailscale.com/types/logger"
)

// maxLine bounds a request: 64 KiB in base64 and room for a region.
const maxLine = 8 << 20

// request is one line of input; each operation uses some of the fields.
type request struct {
	ID     json.RawMessage `json:"id"`
	Op     string          `json:"op"`
	Client string          `json:"client"`

	// new
	URL         string              `json:"url"`
	Region      *tailcfg.DERPRegion `json:"region"`
	PrivateKey  *key.NodePrivate    `json:"privateKey"`
	MeshKey     string              `json:"meshKey"`
	IsProber    bool                `json:"isProber"`
	CanAckPings bool                `json:"canAckPings"`
	Watch       bool                `json:"watch"`
	Insecure    bool                `json:"insecure"`
	CAFile      string              `json:"caFile"`
	IdealNode   string              `json:"idealNode"`

	// send, forward, closePeer
	From       key.NodePublic  `json:"from"`
	To         *key.NodePublic `json:"to"`
	DataBase64 []byte          `json:"dataBase64"`
	Size       *int            `json:"size"`
	Seed       uint32          `json:"seed"`
	Count      int             `json:"count"`

	// connect, ping, sendPing, sendPong, notePreferred
	TimeoutMs int    `json:"timeoutMs"`
	DataHex   string `json:"dataHex"`
	Preferred bool   `json:"preferred"`

	// recv, watchLoop
	Action          string         `json:"action"` // start or stop
	Reconnect       bool           `json:"reconnect"`
	Digest          bool           `json:"digest"`
	IgnoreServerKey key.NodePublic `json:"ignoreServerKey"`
}

// fields are the members of a reply or an event.
type fields map[string]any

// output writes lines, one at a time.
type output struct {
	mu sync.Mutex
	w  *bufio.Writer
}

func (o *output) write(v any) {
	line, err := json.Marshal(v)
	if err != nil {
		log.Fatal(err)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.w.Write(append(line, '\n'))
	if o.w.Flush() != nil {
		os.Exit(1) // nobody listens any more
	}
}

func (o *output) reply(r request, f fields, err error) {
	line := fields{"id": r.ID, "ok": err == nil}
	if err != nil {
		line["error"] = err.Error()
	}
	for name, v := range f {
		line[name] = v
	}
	o.write(line)
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("derpclient: ")
	verbose := flag.Bool("v", false, "print what the clients log to standard error")
	flag.Parse()
	logf := logger.Logf(logger.Discard)
	if *verbose {
		logf = log.Printf
	}

	out := &output{w: bufio.NewWriter(os.Stdout)}
	clients := map[string]*session{}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		r, err := parse(lines.Bytes())
		if err == nil {
			err = dispatch(clients, r, out, logf)
		}
		if err != nil {
			out.reply(r, nil, err)
		}
	}
	for _, s := range clients {
		s.client.Close()
	}
	if err := lines.Err(); err != nil {
		log.Fatal(err)
	}
}

func parse(line []byte) (request, error) {
	r := request{ID: json.RawMessage("null")}
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil {
		return r, fmt.Errorf("request: %w", err)
	}
	return r, nil
}

// dispatch makes a client or hands the request to one, which replies itself.
func dispatch(clients map[string]*session, r request, out *output, logf logger.Logf) error {
	if r.Op != "new" {
		s, ok := clients[r.Client]
		if !ok {
			return fmt.Errorf("%s: no client %q", r.Op, r.Client)
		}
		return s.handle(r)
	}
	o := stock.Options{
		URL:         r.URL,
		Region:      r.Region,
		MeshKey:     r.MeshKey,
		IsProber:    r.IsProber,
		CanAckPings: r.CanAckPings,
		Watch:       r.Watch,
		Insecure:    r.Insecure,
		CAFile:      r.CAFile,
		IdealNode:   r.IdealNode,
		Logf:        logger.WithPrefix(logf, r.Client+": "),
	}
	if r.PrivateKey != nil {
		o.PrivateKey = *r.PrivateKey
	}
	client, err := stock.New(o)
	if err != nil {
		return err
	}
	if old, ok := clients[r.Client]; ok {
		old.client.Close()
	}
	clients[r.Client] = newSession(r.Client, client, o.Watch, out)
	out.reply(r, fields{"publicKey": client.SelfPublicKey().String()}, nil)
	return nil
}
