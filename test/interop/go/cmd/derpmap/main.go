// Derpmap reads a DERP map as others do and prints as JSON what they make of it.
//
// It is started with whose reading is wanted, and reads the text from standard
// input: "headscale" decodes YAML into Tailscale's own type, as Headscale does
// with the files of derp.paths; "policy" takes derpMap out of a policy file in
// HuJSON; "json" decodes plain JSON, as clients and derpprobe do.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"os"

	"github.com/tailscale/hujson"
	"gopkg.in/yaml.v3"
	"tailscale.com/tailcfg"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 2 {
		log.Fatal("usage: derpmap headscale|policy|json")
	}
	text, err := io.ReadAll(os.Stdin)
	if err != nil {
		log.Fatal(err)
	}
	derpMap, err := read(os.Args[1], text)
	if err != nil {
		log.Fatal(err)
	}
	line, err := json.Marshal(derpMap)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(line))
}

func read(reader string, text []byte) (*tailcfg.DERPMap, error) {
	switch reader {
	case "headscale":
		var m tailcfg.DERPMap
		return &m, yaml.Unmarshal(text, &m)
	case "policy":
		plain, err := hujson.Standardize(text)
		if err != nil {
			return nil, err
		}
		var policy struct{ DERPMap *tailcfg.DERPMap }
		err = json.Unmarshal(plain, &policy)
		return policy.DERPMap, err
	case "json":
		var m tailcfg.DERPMap
		return &m, json.Unmarshal(text, &m)
	}
	return nil, fmt.Errorf("read DERP map as %q: no such reader", reader)
}
