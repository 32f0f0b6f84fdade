package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"

	"derphttp.test/interop/internal/fixture"
	"derphttp.test/interop/internal/wire"
	"tailscale.com/types/key"
)

// encoded is what -verify reads: bytes of our encoder, in the form of the
// golden files, so that those can be checked as well.
type encoded struct {
	ClientFrames []ClientFrame `json:"clientFrames"`
	ServerFrames []ServerFrame `json:"serverFrames"`
	ClientReads  []ServerFrame `json:"clientReads"`
	Logins       []Login       `json:"logins"`
}

type verdict struct {
	OK         bool       `json:"ok"`
	Checked    int        `json:"checked"`
	Skipped    []string   `json:"skipped"` // given as a digest only
	Mismatches []mismatch `json:"mismatches"`
}

type mismatch struct {
	Name string `json:"name"`
	Why  string `json:"why"`
}

// errSkipped marks a frame of which only a digest is there.
var errSkipped = errors.New("skipped")

func runVerify(path string) (exitCode int) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		path = filepath.Join(path, "encoded.json")
	}
	var in encoded
	must(json.Unmarshal(need(os.ReadFile(path)), &in))
	v := verify(in)
	fmt.Println(string(need(json.Marshal(v))))
	if !v.OK {
		return 1
	}
	return 0
}

func verify(in encoded) verdict {
	v := verdict{Skipped: []string{}, Mismatches: []mismatch{}}
	note := func(name string, err error) {
		switch {
		case err == errSkipped:
			v.Skipped = append(v.Skipped, name)
			return
		case err != nil:
			v.Mismatches = append(v.Mismatches, mismatch{name, err.Error()})
		}
		v.Checked++
	}
	if len(in.ClientFrames) > 0 {
		verifyClientFrames(in.ClientFrames, note)
	}
	for _, f := range append(in.ServerFrames, in.ClientReads...) {
		note(f.Name, f.verify())
	}
	for _, l := range in.Logins {
		note(l.Name, l.verify())
	}
	v.OK = len(v.Mismatches) == 0 && v.Checked > 0
	return v
}

// verifyClientFrames makes each call on a stock client and compares bytes.
func verifyClientFrames(frames []ClientFrame, note func(string, error)) {
	for _, f := range frames {
		want, err := f.Call.writtenByStock()
		if err == nil {
			if why := f.differs(want); why != "" {
				err = errors.New(why)
			}
		}
		note(f.Name, err)
	}
}

// writtenByStock is the frame that a stock client writes for the call.
func (c Call) writtenByStock() ([]byte, error) {
	relay := wire.NewRelay(fixture.PrivateKey("server"), fixture.MeshKey)
	defer relay.Close()
	p, err := relay.Connect(wire.Guest{PrivateKey: fixture.PrivateKey("a"), RemoteAddr: "192.0.2.1:1", MeshKey: fixture.MeshKey})
	if err != nil {
		return nil, err
	}
	if _, err := p.Tap.Sent(); err != nil { // ClientInfo
		return nil, err
	}
	return c.frameOf(p)
}

// verify gives the frame to a stock client.
func (f ServerFrame) verify() error {
	b, err := f.whole()
	if err != nil {
		return err
	}
	if b == nil {
		return errSkipped
	}
	private, server := fixture.PrivateKey("a"), fixture.PrivateKey("server").Public()
	if f.PrivateKey != "" {
		if private, err = privateKey(f.PrivateKey); err != nil {
			return err
		}
	}
	if f.ServerPublicKey != "" {
		if server, err = publicKey(f.ServerPublicKey); err != nil {
			return err
		}
	}
	if f.ReadsServerKey {
		server = key.NodePublic{}
	}
	got, err := feed(private, server, b)
	if (err != nil) != (f.Error != "") {
		return fmt.Errorf("ended with %v, expected %q", err, f.Error)
	}
	if len(got) != len(f.Expect) || len(got) > 0 && !reflect.DeepEqual(got, f.Expect) {
		return fmt.Errorf("read as %s, expected %s", need(json.Marshal(got)), need(json.Marshal(f.Expect)))
	}
	return nil
}
