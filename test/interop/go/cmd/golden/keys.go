package main

import (
	"encoding/hex"
	"strings"

	"derphttp.test/interop/internal/fixture"
	"go4.org/mem"
	"tailscale.com/types/key"
)

type keyFile struct {
	Provenance Provenance   `json:"provenance"`
	Pairs      []keyPair    `json:"pairs"`
	Public     []publicForm `json:"public"`
	Parse      []parsed     `json:"parse"`
}

type keyPair struct {
	Name       string     `json:"name"`
	PrivateKey string     `json:"privateKey"`
	PrivateHex string     `json:"privateHex"`
	Public     publicForm `json:"public"`
}

type publicForm struct {
	Text  string `json:"text"`
	Hex   string `json:"hex"`
	Short string `json:"short"`
}

// parsed is one text and what the stock parser of the form makes of it.
type parsed struct {
	Form  string `json:"form"` // nodePublic, nodePrivate, nodePublicHex, nodePrivateHex
	Name  string `json:"name"`
	Text  string `json:"text"`
	Hex   string `json:"hex,omitempty"`
	Error string `json:"error,omitempty"`
}

func keyVectors() keyFile {
	f := keyFile{Provenance: provenance(
		`a key is SHA-256 of "derphttp.test key NAME", clamped; the parser does not clamp what it reads`,
		"the zero key parses; its short form is empty",
	)}
	for _, name := range []string{"a", "b", "c", "server", "watcher"} {
		f.Pairs = append(f.Pairs, keyPairOf(name, fixture.PrivateKey(name)))
	}
	unclamped := fixture.RawKey("unclamped")
	f.Pairs = append(f.Pairs, keyPairOf("unclamped", key.NodePrivateFromRaw32(mem.B(unclamped[:]))))
	f.Public = []publicForm{
		publicFormOf(key.NodePublic{}),
		publicFormOf(key.NodePublicFromRaw32(mem.B(allBytes(0xff)))),
	}
	for _, form := range forms {
		f.Parse = append(f.Parse, parseCases(form)...)
	}
	return f
}

func keyPairOf(name string, k key.NodePrivate) keyPair {
	return keyPair{name, text(k), k.UntypedHexString(), publicFormOf(k.Public())}
}

func publicFormOf(k key.NodePublic) publicForm {
	return publicForm{k.String(), k.UntypedHexString(), k.ShortString()}
}

func text(k key.NodePrivate) string { return string(need(k.MarshalText())) }

func allBytes(v byte) []byte { return []byte(strings.Repeat(string([]byte{v}), 32)) }

type keyForm struct {
	name, prefix string
	parse        func(string) ([]byte, error)
}

var forms = []keyForm{
	{"nodePublic", "nodekey:", func(s string) ([]byte, error) {
		var k key.NodePublic
		err := k.UnmarshalText([]byte(s))
		return k.AppendTo(nil), err
	}},
	{"nodePrivate", "privkey:", func(s string) ([]byte, error) {
		var k key.NodePrivate
		err := k.UnmarshalText([]byte(s))
		return need(hex.DecodeString(k.UntypedHexString())), err
	}},
	{"nodePublicHex", "", func(s string) ([]byte, error) {
		k, err := key.ParseNodePublicUntyped(mem.S(s))
		return k.AppendTo(nil), err
	}},
	{"nodePrivateHex", "", func(s string) ([]byte, error) {
		k, err := key.ParseNodePrivateUntyped(mem.S(s))
		return need(hex.DecodeString(k.UntypedHexString())), err
	}},
}

func parseCases(f keyForm) []parsed {
	digits := hex.EncodeToString(fixture.Payload(32, 5))
	cases := [][2]string{
		{"as written", f.prefix + digits},
		{"capital digits", f.prefix + strings.ToUpper(digits)},
		{"mixed digits", f.prefix + strings.ToUpper(digits[:32]) + digits[32:]},
		{"all zero", f.prefix + strings.Repeat("0", 64)},
		{"empty", ""},
		{"prefix only", f.prefix},
		{"a digit missing", f.prefix + digits[1:]},
		{"a byte missing", f.prefix + digits[2:]},
		{"a byte more", f.prefix + digits + "00"},
		{"not a digit", f.prefix + "g" + digits[1:]},
		{"space before", " " + f.prefix + digits},
		{"newline after", f.prefix + digits + "\n"},
		{"with 0x", f.prefix + "0x" + digits[2:]},
		{"capital prefix", strings.ToUpper(f.prefix+"x:") + digits},
		{"public prefix", "nodekey:" + digits},
		{"private prefix", "privkey:" + digits},
		{"other prefix", "mkey:" + digits},
		{"full-width digit", f.prefix + digits[:61] + "\uff10"},
	}
	var list []parsed
	for _, c := range cases {
		p := parsed{Form: f.name, Name: c[0], Text: c[1]}
		if k, err := f.parse(c[1]); err != nil {
			p.Error = err.Error()
		} else {
			p.Hex = hex.EncodeToString(k)
		}
		list = append(list, p)
	}
	return list
}
