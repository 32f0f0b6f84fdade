package main

import (
	"encoding/hex"
	"fmt"

	"derphttp.test/interop/internal/fixture"
	"go4.org/mem"
	"golang.org/x/crypto/curve25519"
	"golang.org/x/crypto/nacl/box"
	"tailscale.com/types/key"
)

type boxFile struct {
	Provenance Provenance `json:"provenance"`
	Pairs      []boxPair  `json:"pairs"`
	Refused    []refusal  `json:"refused"`
}

// boxPair is what two keys share, and boxes from the first to the second.
type boxPair struct {
	Name          string   `json:"name"`
	PrivateKey    string   `json:"privateKey"`
	PublicKey     string   `json:"publicKey"`
	PeerPublicKey string   `json:"peerPublicKey"`
	SharedHex     string   `json:"sharedHex"`      // X25519
	Precomputed   string   `json:"precomputedHex"` // box.Precompute: HSalsa20 of it
	Boxes         []sealed `json:"boxes"`
}

type sealed struct {
	NonceHex string `json:"nonceHex"`
	PlainHex string `json:"plainHex"`
	WireHex  string `json:"wireHex"` // nonce and box, as frames carry them
}

// refusal is a box that OpenFrom of the second key does not open.
type refusal struct {
	Name          string `json:"name"`
	PrivateKey    string `json:"privateKey"`
	PeerPublicKey string `json:"peerPublicKey"`
	WireHex       string `json:"wireHex"`
}

func boxVectors() boxFile {
	a, b := fixture.PrivateKey("a"), fixture.PrivateKey("b")
	unclamped := fixture.RawKey("unclamped")
	highBit := b.Public().Raw32()
	highBit[31] |= 0x80
	lowOrder := [32]byte{1}
	sizes := []int{0, 1, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 255, 1000}
	few := []int{0, 33}
	return boxFile{
		Provenance: provenance(
			"plain texts are the payload generator with seed = size + 1, nonces are its 24 bytes with seed = size + 1000",
			"a peer key of low order gives an all-zero shared secret; the Go code seals and opens with it all the same",
		),
		Pairs: []boxPair{
			pair("a to b", raw(a), b.Public().Raw32(), sizes),
			pair("b to a", raw(b), a.Public().Raw32(), few),
			pair("a to server", raw(a), fixture.PrivateKey("server").Public().Raw32(), few),
			pair("private key not clamped", unclamped, b.Public().Raw32(), few),
			pair("peer key with its highest bit set", raw(a), highBit, few),
			pair("peer key of low order", raw(a), lowOrder, few),
		},
		Refused: refusals(a, b),
	}
}

func raw(k key.NodePrivate) [32]byte {
	return [32]byte(need(hex.DecodeString(k.UntypedHexString())))
}

func pair(name string, private, peer [32]byte, sizes []int) boxPair {
	var shared, precomputed [32]byte
	curve25519.ScalarMult(&shared, &private, &peer)
	box.Precompute(&precomputed, &peer, &private)
	k := key.NodePrivateFromRaw32(mem.B(private[:]))
	p := key.NodePublicFromRaw32(mem.B(peer[:]))
	v := boxPair{
		Name:          name,
		PrivateKey:    text(k),
		PublicKey:     k.Public().String(),
		PeerPublicKey: p.String(),
		SharedHex:     hex.EncodeToString(shared[:]),
		Precomputed:   hex.EncodeToString(precomputed[:]),
	}
	for _, size := range sizes {
		v.Boxes = append(v.Boxes, seal(size, &private, &peer))
	}
	return v
}

func seal(size int, private, peer *[32]byte) sealed {
	plain := fixture.Payload(size, uint32(size+1))
	nonce := [24]byte(fixture.Payload(24, uint32(size+1000)))
	return sealed{
		NonceHex: hex.EncodeToString(nonce[:]),
		PlainHex: hex.EncodeToString(plain),
		WireHex:  hex.EncodeToString(box.Seal(nonce[:], plain, &nonce, peer, private)),
	}
}

func refusals(a, b key.NodePrivate) []refusal {
	fixRandom("refused boxes")
	good := a.SealTo(b.Public(), []byte("hello"))
	if _, ok := b.OpenFrom(a.Public(), good); !ok {
		panic("the good box does not open")
	}
	changed := func(at int) []byte {
		c := append([]byte(nil), good...)
		c[at] ^= 1
		return c
	}
	var list []refusal
	add := func(name string, from key.NodePublic, wire []byte) {
		if _, ok := b.OpenFrom(from, wire); ok {
			panic(fmt.Sprintf("%s: opened", name))
		}
		list = append(list, refusal{name, text(b), from.String(), hex.EncodeToString(wire)})
	}
	add("nothing", a.Public(), nil)
	add("shorter than a nonce", a.Public(), good[:23])
	add("nonce only", a.Public(), good[:24])
	add("half a tag", a.Public(), good[:39])
	add("tag only", a.Public(), good[:40])
	add("last byte missing", a.Public(), good[:len(good)-1])
	add("one byte more", a.Public(), append(good[:len(good):len(good)], 0))
	add("nonce changed", a.Public(), changed(0))
	add("tag changed", a.Public(), changed(24))
	add("text changed", a.Public(), changed(len(good)-1))
	add("from another key", fixture.PrivateKey("c").Public(), good)
	return list
}
