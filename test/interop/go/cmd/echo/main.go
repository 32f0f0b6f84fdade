// Echo is a stock client that sends each packet back to where it came from.
//
// It prints one JSON line with its key once the relay has registered it, and
// ends when its standard input does.
package main

import (
	"encoding/json"
	"flag"
	"io"
	"log"
	"os"

	"derphttp.test/interop/internal/stock"
	"tailscale.com/derp"
	"tailscale.com/derp/derphttp"
	"tailscale.com/types/key"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("echo: ")
	relay := flag.String("url", "", "the relay, http://host:port/derp")
	ca := flag.String("ca", "", "file of certificates to trust")
	private := flag.String("key", "", "private key, privkey:…; empty: a fresh one")
	flag.Parse()

	options := stock.Options{URL: *relay, CAFile: *ca, CanAckPings: true}
	if *private != "" {
		if err := options.PrivateKey.UnmarshalText([]byte(*private)); err != nil {
			log.Fatal(err)
		}
	}
	client, err := stock.New(options)
	if err != nil {
		log.Fatal(err)
	}
	go func() {
		io.Copy(io.Discard, os.Stdin)
		client.Close()
		os.Exit(0)
	}()
	log.Fatal(serve(client))
}

func serve(client *derphttp.Client) error {
	for {
		m, err := client.Recv()
		if err != nil {
			return err
		}
		switch m := m.(type) {
		case derp.ServerInfoMessage:
			err = announce(client)
		case derp.PingMessage:
			err = client.SendPong(m)
		case derp.ReceivedPacket:
			err = client.Send(m.Source, m.Data)
		}
		if err != nil {
			return err
		}
	}
}

func announce(client *derphttp.Client) error {
	return json.NewEncoder(os.Stdout).Encode(struct {
		PublicKey       key.NodePublic `json:"publicKey"`
		ServerPublicKey key.NodePublic `json:"serverPublicKey"`
	}{client.SelfPublicKey(), client.ServerPublicKey()})
}
