package main

import (
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"
)

const goldenDir = "../../../../golden/"

// plain turns vectors into comparable JSON, without what differs from run to
// run: error texts of the Go release, and KeepAlive with its long wait.
func plain(t *testing.T, b []byte) any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	delete(v, "provenance")
	if frames, ok := v["serverFrames"].([]any); ok {
		last := frames[len(frames)-1].(map[string]any)
		if last["name"] == "keepAlive" {
			v["serverFrames"] = frames[:len(frames)-1]
		}
	}
	return withoutErrorTexts(v)
}

func withoutErrorTexts(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, member := range v {
			if name == "error" {
				v[name] = "…"
				continue
			}
			v[name] = withoutErrorTexts(member)
		}
	case []any:
		for i := range v {
			v[i] = withoutErrorTexts(v[i])
		}
	}
	return v
}

func TestCommittedVectorsAreWhatTheStockCodeDoes(t *testing.T) {
	for name, content := range map[string]any{
		"box":    boxVectors(),
		"keys":   keyVectors(),
		"login":  loginVectors(),
		"stun":   stunVectors(),
		"frames": frameVectors(false),
	} {
		committed, err := os.ReadFile(goldenDir + name + ".json")
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(plain(t, committed), plain(t, pretty(content))) {
			t.Errorf("%s.json is not what this program makes", name)
		}
	}
}

func readEncoded(t *testing.T, name string) encoded {
	t.Helper()
	b, err := os.ReadFile(goldenDir + name)
	if err != nil {
		t.Fatal(err)
	}
	var in encoded
	if err := json.Unmarshal(b, &in); err != nil {
		t.Fatal(err)
	}
	return in
}

func TestVerifyAcceptsTheVectors(t *testing.T) {
	for _, name := range []string{"frames.json", "login.json"} {
		if v := verify(readEncoded(t, name)); !v.OK || v.Checked == 0 {
			t.Errorf("%s: %+v", name, v)
		}
	}
}

func TestVerifyAcceptsNothingEmpty(t *testing.T) {
	if verify(encoded{}).OK {
		t.Error("nothing to check counts as right")
	}
}

// flip changes the last hex digit.
func flip(digits string) string {
	last := "0"
	if strings.HasSuffix(digits, "0") {
		last = "1"
	}
	return digits[:len(digits)-1] + last
}

func TestVerifyFindsEveryChangedFrame(t *testing.T) {
	in := readEncoded(t, "frames.json")
	for i := range in.ClientFrames {
		if f := &in.ClientFrames[i]; f.Hex != nil {
			*f.Hex = flip(*f.Hex)
		} else {
			f.SHA256 = flip(f.SHA256)
		}
	}
	for i := range in.ServerFrames {
		if f := &in.ServerFrames[i]; f.Hex != nil {
			*f.Hex = flip(*f.Hex)
		}
	}
	in.ClientReads = nil
	v := verify(in)
	if len(v.Mismatches) != v.Checked || v.OK {
		t.Errorf("%d of %d found", len(v.Mismatches), v.Checked)
	}
}

func TestVerifyFindsChangedLogins(t *testing.T) {
	changes := map[string]func(*Login){
		"client box":  func(l *Login) { l.ClientInfoHex = flip(l.ClientInfoHex); l.ServerInfoHex = "" },
		"server box":  func(l *Login) { l.ClientInfoHex = ""; l.ServerInfoHex = flip(l.ServerInfoHex) },
		"server key":  func(l *Login) { l.ClientInfoHex = ""; l.ServerKeyHex = flip(l.ServerKeyHex) },
		"client info": func(l *Login) { l.ClientInfoJSON = `{"version":1}` },
		"flags":       func(l *Login) { l.PresentFlags ^= 1 },
		"mesh key":    func(l *Login) { l.ServerMeshKey = "00" + l.ServerMeshKey[2:]; l.PresentFlags |= 2 },
	}
	for name, change := range changes {
		l := readEncoded(t, "login.json").Logins[0]
		change(&l)
		if v := verify(encoded{Logins: []Login{l}}); len(v.Mismatches) != 1 {
			t.Errorf("%s: %+v", name, v)
		}
	}
}
