// Transfer sends data both ways between two stock clients through a relay and
// says whether every byte arrived.
//
// It prints one JSON line; the exit code is 0 only when all was exact.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"derphttp.test/interop/internal/stock"
)

type settings struct {
	url, ca string
	bytes   int
	packet  int
	window  int
	sizes   []int
}

type result struct {
	OK      bool       `json:"ok"`
	Error   string     `json:"error,omitempty"`
	URL     string     `json:"url"`
	Seconds float64    `json:"seconds"`
	Window  int        `json:"window"`
	Packet  int        `json:"packet"`
	AToB    *direction `json:"aToB,omitempty"`
	BToA    *direction `json:"bToA,omitempty"`
	Sizes   []int      `json:"exactSizes"` // arrived exactly, both ways
}

type direction struct {
	Bytes          int    `json:"bytes"`
	Packets        int    `json:"packets"`
	SentSHA256     string `json:"sentSha256"`
	ReceivedSHA256 string `json:"receivedSha256"`
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("transfer: ")
	var s settings
	flag.StringVar(&s.url, "url", "", "the relay, http://host:port/derp")
	flag.StringVar(&s.ca, "ca", "", "file of certificates to trust")
	flag.IntVar(&s.bytes, "bytes", 20_000_000, "bytes to send each way")
	flag.IntVar(&s.packet, "packet", 1400, "largest packet of the transfer, in bytes")
	flag.IntVar(&s.window, "window", 16, "packets sent and not yet acknowledged, each way, at most")
	sizes := flag.String("sizes", "0,1,31,32,1000,1400,65535,65536", "sizes of single packets to try after it")
	timeout := flag.Duration("timeout", time.Minute, "limit of the whole run")
	flag.Parse()

	var err error
	if s.sizes, err = parseSizes(*sizes); err != nil {
		log.Fatal(err)
	}
	if s.packet <= headerLen || s.packet > 65536 || s.window < 1 || s.bytes < 0 {
		log.Fatal("-packet, -window or -bytes out of range")
	}
	ctx, cancel := context.WithTimeout(context.Background(), *timeout)
	defer cancel()
	r := run(ctx, s)
	json.NewEncoder(os.Stdout).Encode(r)
	if !r.OK {
		os.Exit(1)
	}
}

func parseSizes(text string) ([]int, error) {
	var sizes []int
	for _, field := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' }) {
		n, err := strconv.Atoi(field)
		if err != nil || n < 0 {
			return nil, fmt.Errorf("bad size %q", field)
		}
		sizes = append(sizes, n)
	}
	return sizes, nil
}

func run(ctx context.Context, s settings) result {
	r := result{URL: s.url, Window: s.window, Packet: s.packet, Sizes: []int{}}
	began := time.Now()
	if err := r.fill(ctx, s); err != nil {
		r.Error = err.Error()
	}
	r.Seconds = time.Since(began).Seconds()
	r.OK = r.Error == ""
	return r
}

// fill goes through the three parts of a run until one fails.
func (r *result) fill(ctx context.Context, s settings) error {
	a, err := newEnd("a", stock.Options{URL: s.url, CAFile: s.ca})
	if err != nil {
		return err
	}
	defer a.close()
	b, err := newEnd("b", stock.Options{URL: s.url, CAFile: s.ca})
	if err != nil {
		return err
	}
	defer b.close()
	a.peer, b.peer = b.key(), a.key()

	if err := both(ctx, a, b, func(ctx context.Context, e *end) error { return e.meet(ctx) }); err != nil {
		return fmt.Errorf("meeting: %w", err)
	}
	err = both(ctx, a, b, func(ctx context.Context, e *end) error { return e.exchange(ctx, s) })
	r.AToB, r.BToA = between(a, b), between(b, a)
	if err != nil {
		return fmt.Errorf("transfer: %w", err)
	}
	for _, d := range []*direction{r.AToB, r.BToA} {
		if d.Bytes != s.bytes || d.SentSHA256 != d.ReceivedSHA256 {
			return fmt.Errorf("transfer: sent and received differ")
		}
	}
	for _, size := range s.sizes {
		if err := both(ctx, a, b, func(ctx context.Context, e *end) error { return e.exactly(ctx, size) }); err != nil {
			return fmt.Errorf("packet of %d bytes: %w", size, err)
		}
		r.Sizes = append(r.Sizes, size)
	}
	return nil
}

func between(from, to *end) *direction {
	return &direction{
		Bytes:          to.received.bytes,
		Packets:        to.received.packets,
		SentSHA256:     from.sent.sum(),
		ReceivedSHA256: to.received.sum(),
	}
}

// both runs f for each end at once, waits for both and returns the error that
// came first. That error, or the end of ctx, stops the other end as well.
func both(ctx context.Context, a, b *end, f func(context.Context, *end) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, func() {
		a.client.Close()
		b.client.Close()
	})
	defer stop()
	var wg sync.WaitGroup
	var once sync.Once
	var first error
	for _, e := range []*end{a, b} {
		wg.Add(1)
		go func() {
			defer wg.Done()
			if err := f(ctx, e); err != nil {
				once.Do(func() { first = fmt.Errorf("%s: %w", e.name, err) })
				cancel()
			}
		}()
	}
	wg.Wait()
	return first
}
