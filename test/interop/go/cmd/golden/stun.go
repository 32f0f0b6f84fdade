package main

import (
	"encoding/binary"
	"encoding/hex"
	"hash/crc32"
	"net/netip"

	"derphttp.test/interop/internal/fixture"
	"tailscale.com/net/stun"
)

type stunFile struct {
	Provenance     Provenance     `json:"provenance"`
	Requests       []stunRequest  `json:"requests"`
	Responses      []stunResponse `json:"responses"`
	ParseRequests  []stunParsed   `json:"parseRequests"`
	ParseResponses []stunParsed   `json:"parseResponses"`
}

type stunRequest struct {
	TxID string `json:"txid"`
	Hex  string `json:"hex"`
}

type stunResponse struct {
	TxID    string `json:"txid"`
	AddrOf  string `json:"ipPort"`           // as given to stun.Response
	Hex     string `json:"hex"`              // what it wrote
	ReadsAs string `json:"readsAs"`          // what stun.ParseResponse reads from it
	Mapped  bool   `json:"mapped,omitempty"` // an IPv4 address given in its IPv6 form
}

// stunParsed is a packet and what the stock parser makes of it.
type stunParsed struct {
	Name   string `json:"name"`
	Hex    string `json:"hex"`
	TxID   string `json:"txid,omitempty"`
	IPPort string `json:"ipPort,omitempty"`
	Error  string `json:"error,omitempty"`
}

func stunVectors() stunFile {
	f := stunFile{Provenance: provenance()}
	txIDs := []stun.TxID{{}, txID(1), txID(2), {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}}
	for _, id := range txIDs {
		f.Requests = append(f.Requests, stunRequest{hex.EncodeToString(id[:]), hex.EncodeToString(stun.Request(id))})
	}
	addresses := []string{
		"192.0.2.1:41641", "0.0.0.0:0", "255.255.255.255:65535", "33.18.164.66:8466",
		"[2001:db8::1]:3478", "[::]:0", "[::1]:1", "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535",
		"[::ffff:192.0.2.1]:41641",
	}
	for i, a := range addresses {
		f.Responses = append(f.Responses, responseOf(txIDs[i%len(txIDs)], netip.MustParseAddrPort(a)))
	}
	f.ParseRequests = requestCases()
	f.ParseResponses = responseCases()
	return f
}

func txID(seed uint32) stun.TxID { return stun.TxID(fixture.Payload(12, seed)) }

func responseOf(id stun.TxID, a netip.AddrPort) stunResponse {
	b := stun.Response(id, a)
	_, read, err := stun.ParseResponse(b)
	must(err)
	return stunResponse{
		TxID:    hex.EncodeToString(id[:]),
		AddrOf:  a.String(),
		Hex:     hex.EncodeToString(b),
		ReadsAs: read.String(),
		Mapped:  a.Addr().Is4In6(),
	}
}

// attribute is one STUN attribute, padded with zeros to four bytes.
func attribute(kind uint16, value string) []byte {
	b := binary.BigEndian.AppendUint16(nil, kind)
	b = binary.BigEndian.AppendUint16(b, uint16(len(value)))
	b = append(b, value...)
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return b
}

const cookie = "\x21\x12\xa4\x42"

// packet joins a header and attributes.
func packet(kind uint16, attributes ...[]byte) []byte {
	id := txID(3)
	b := binary.BigEndian.AppendUint16(nil, kind)
	b = append(b, 0, 0)
	b = append(b, cookie...)
	b = append(b, id[:]...)
	for _, a := range attributes {
		b = append(b, a...)
	}
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)-20))
	return b
}

// fingerprinted adds a valid FINGERPRINT; as in the stock code the length
// field counts it already when the sum is taken.
func fingerprinted(b []byte) []byte {
	b = append([]byte(nil), b...)
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)-20+8))
	sum := crc32.ChecksumIEEE(b) ^ 0x5354554e
	return append(b, attribute(0x8028, string(binary.BigEndian.AppendUint32(nil, sum)))...)
}

func changed(b []byte, at int, to byte) []byte {
	b = append([]byte(nil), b...)
	b[at] = to
	return b
}

func requestCases() []stunParsed {
	good := stun.Request(txID(3))
	software := attribute(0x8022, "tailnode")
	var list []stunParsed
	add := func(name string, b []byte) {
		p := stunParsed{Name: name, Hex: hex.EncodeToString(b)}
		if id, err := stun.ParseBindingRequest(b); err != nil {
			p.Error = err.Error()
		} else {
			p.TxID = hex.EncodeToString(id[:])
		}
		list = append(list, p)
	}
	add("as the stock client sends it", good)
	add("empty", nil)
	add("header one byte short", good[:19])
	add("header only", packet(1))
	add("top bit set", changed(good, 0, 0x80))
	add("second bit set", changed(good, 0, 0x40))
	add("wrong cookie", changed(good, 4, 0x20))
	add("a response", changed(good, 0, 0x01))
	add("an indication", changed(good, 1, 0x11))
	add("no software", fingerprinted(packet(1)))
	add("other software", fingerprinted(packet(1, attribute(0x8022, "othernod"))))
	add("software with more behind", fingerprinted(packet(1, attribute(0x8022, "tailnode2"))))
	add("software in capitals", fingerprinted(packet(1, attribute(0x8022, "TAILNODE"))))
	add("other software, then ours", fingerprinted(packet(1, attribute(0x8022, "x"), software)))
	add("no fingerprint", packet(1, software))
	add("wrong fingerprint", changed(good, len(good)-1, good[len(good)-1]^1))
	add("txid changed after the sum", changed(good, 8, good[8]^1))
	add("length field changed after the sum", changed(good, 3, good[3]+4))
	add("length field one too large, sum right", lengthCase(packet(1, software), 1))
	add("length field zero, sum right", lengthCase(packet(1, software), -20))
	add("fingerprint of three bytes", packet(1, software, attribute(0x8028, "abc")))
	add("fingerprint of eight bytes", packet(1, software, attribute(0x8028, "abcdefgh")))
	add("fingerprint, then software", packet(1, fingerprinted(packet(1))[20:], software))
	add("fingerprint twice", fingerprinted(fingerprinted(packet(1, software))))
	add("unknown attributes before", fingerprinted(packet(1, attribute(0x0006, "user"), attribute(0x7777, ""), software)))
	add("unknown attributes between", fingerprinted(packet(1, software, attribute(0x7777, "abcde"))))
	add("one byte behind", append(good[:len(good):len(good)], 0))
	add("four zero bytes behind", append(good[:len(good):len(good)], 0, 0, 0, 0))
	add("last byte missing", good[:len(good)-1])
	add("attribute longer than the packet", packet(1, []byte{0x80, 0x22, 0, 9}, []byte("tailnode")))
	add("attribute of 65535 bytes", packet(1, []byte{0x80, 0x22, 0xff, 0xff}, []byte("tailnode")))
	add("padding missing at the end", packet(1, software, []byte{0x77, 0x77, 0, 1, 'a'}))
	add("header of an attribute cut", packet(1, software, []byte{0x80, 0x28}))
	return list
}

// lengthCase gives a request whose length field is off by delta, with a
// fingerprint that is right for the bytes as they are.
func lengthCase(b []byte, delta int) []byte {
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)-20+8+delta))
	sum := crc32.ChecksumIEEE(b) ^ 0x5354554e
	return append(b, attribute(0x8028, string(binary.BigEndian.AppendUint32(nil, sum)))...)
}

func responseCases() []stunParsed {
	address := netip.MustParseAddrPort("192.0.2.1:41641")
	good := stun.Response(txID(3), address)
	xored := good[24:]
	plain := []byte{0, 1, 0xa2, 0xa9, 192, 0, 2, 1}
	var list []stunParsed
	add := func(name string, b []byte) {
		p := stunParsed{Name: name, Hex: hex.EncodeToString(b)}
		if id, a, err := stun.ParseResponse(b); err != nil {
			p.Error = err.Error()
		} else {
			p.TxID, p.IPPort = hex.EncodeToString(id[:]), a.String()
		}
		list = append(list, p)
	}
	add("as the stock server sends it", good)
	add("a request", stun.Request(txID(3)))
	add("an error response", changed(good, 1, 0x11))
	add("header one byte short", good[:19])
	add("wrong cookie", changed(good, 7, 0x43))
	add("no attributes", packet(0x0101))
	add("XOR-MAPPED-ADDRESS as 0x8020", packet(0x0101, attribute(0x8020, string(xored))))
	add("MAPPED-ADDRESS only", packet(0x0101, attribute(0x0001, string(plain))))
	add("MAPPED-ADDRESS of another address, then XOR-MAPPED-ADDRESS",
		packet(0x0101, attribute(0x0001, "\x00\x01\x00\x01\x01\x01\x01\x01"), attribute(0x0020, string(xored))))
	add("XOR-MAPPED-ADDRESS, then MAPPED-ADDRESS of another address",
		packet(0x0101, attribute(0x0020, string(xored)), attribute(0x0001, "\x00\x01\x00\x01\x01\x01\x01\x01")))
	add("unknown family", changed(good, 25, 3))
	add("IPv6 family with four bytes", changed(good, 25, 2))
	add("address attribute of three bytes", packet(0x0101, attribute(0x0020, "\x00\x01\x00")))
	add("address attribute with bytes behind", packet(0x0101, attribute(0x0020, string(xored)+"abcd")))
	add("MAPPED-ADDRESS of unknown family", packet(0x0101, attribute(0x0001, "\x00\x03\x00\x01\x01\x01\x01\x01")))
	add("length field beyond the packet", changed(good, 3, good[3]+1))
	add("bytes behind the length field", append(good[:len(good):len(good)], 1, 2, 3))
	add("unknown attributes around", packet(0x0101, attribute(0x8022, "abc"), attribute(0x0020, string(xored)), attribute(0x8028, "abcd")))
	return list
}
