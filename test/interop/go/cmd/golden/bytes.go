package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"derphttp.test/interop/internal/message"
)

// Bytes are written whole as hex digits, long ones as length, beginning and
// SHA-256. The same form is read back by -verify.
type Bytes struct {
	Hex     *string `json:"hex,omitempty"`
	Length  int     `json:"length,omitempty"`
	HeadHex string  `json:"headHex,omitempty"`
	SHA256  string  `json:"sha256,omitempty"`
}

const headLen = 80

func bytesOf(b []byte) Bytes {
	if len(b) <= message.MaxHexBytes {
		digits := hex.EncodeToString(b)
		return Bytes{Hex: &digits}
	}
	sum := sha256.Sum256(b)
	return Bytes{
		Length:  len(b),
		HeadHex: hex.EncodeToString(b[:headLen]),
		SHA256:  hex.EncodeToString(sum[:]),
	}
}

// whole returns the bytes, or nil when only a digest is there.
func (b Bytes) whole() ([]byte, error) {
	if b.Hex == nil {
		return nil, nil
	}
	return hex.DecodeString(*b.Hex)
}

// differs says how b is not want; empty when it is.
func (b Bytes) differs(want []byte) string {
	if b.Hex == nil {
		if d := bytesOf(want); d != b {
			return fmt.Sprintf("got %+v, the stock code writes %+v", b, d)
		}
		return ""
	}
	got, err := b.whole()
	if err != nil {
		return err.Error()
	}
	if slices.Equal(got, want) {
		return ""
	}
	at := 0
	for at < min(len(got), len(want)) && got[at] == want[at] {
		at++
	}
	return fmt.Sprintf("%d bytes, the stock code writes %d; they differ from byte %d: %s and %s",
		len(got), len(want), at, excerpt(got, at), excerpt(want, at))
}

func excerpt(b []byte, at int) string {
	return hex.EncodeToString(b[at:min(len(b), at+16)]) + "…"
}
