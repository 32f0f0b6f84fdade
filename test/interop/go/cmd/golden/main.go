// Golden writes the golden vectors: what the stock Go code writes and reads.
//
//	golden              prints all files as one JSON object
//	golden -out DIR     writes box.json, keys.json, frames.json, login.json and stun.json
//	golden -verify PATH checks bytes that our code encoded with the stock code
package main

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"derphttp.test/interop/internal/fixture"
)

// Provenance says where a file's bytes come from.
type Provenance struct {
	Module  string   `json:"module"`
	Program string   `json:"program"`
	Command string   `json:"command"`
	Notes   []string `json:"notes,omitempty"`
}

func provenance(notes ...string) Provenance {
	return Provenance{
		Module:  "tailscale.com v1.84.1",
		Program: "test/interop/go/cmd/golden",
		Command: "cd test/interop/go && go run ./cmd/golden -out ../../golden",
		Notes:   notes,
	}
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("golden: ")
	out := flag.String("out", "", "folder to write the files into; empty: print them")
	verify := flag.String("verify", "", "file to check, or a folder with encoded.json in it")
	keepAlive := flag.Bool("keepalive", true, "wait up to 70 s for a KeepAlive frame")
	flag.Parse()

	if *verify != "" {
		os.Exit(runVerify(*verify))
	}
	files := []struct {
		name    string
		content any
	}{
		{"box", boxVectors()},
		{"keys", keyVectors()},
		{"login", loginVectors()},
		{"stun", stunVectors()},
		{"frames", frameVectors(*keepAlive)},
	}
	all := map[string]any{}
	for _, f := range files {
		all[f.name] = f.content
		if *out != "" {
			must(os.WriteFile(filepath.Join(*out, f.name+".json"), pretty(f.content), 0o644))
		}
	}
	if *out == "" {
		os.Stdout.Write(pretty(all))
	}
}

func pretty(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	must(e.Encode(v))
	return b.Bytes()
}

// fixRandom makes the stock code draw its nonces from a fixed stream.
func fixRandom(label string) { rand.Reader = fixture.Stream(label) }

func must(err error) {
	if err != nil {
		panic(fmt.Sprintf("golden: %v", err))
	}
}

func need[T any](v T, err error) T {
	must(err)
	return v
}
