package main

import (
	"bytes"
	"encoding/binary"
)

// WebSocket opcodes.
const (
	opContinuation = 0
	opBinary       = 2
	opPing         = 9
)

const (
	webSocketAttackers = 4
	// floodBytes is the size of one write of a flood.
	floodBytes = 64 << 10
)

// message is a WebSocket frame of a client; its mask is zero.
func message(opcode byte, isLast bool, payload []byte) []byte {
	head := []byte{opcode}
	if isLast {
		head[0] |= 0x80
	}
	switch n := len(payload); {
	case n < 126:
		head = append(head, 0x80|byte(n))
	case n < 1<<16:
		head = binary.BigEndian.AppendUint16(append(head, 0x80|126), uint16(n))
	default:
		head = binary.BigEndian.AppendUint64(append(head, 0x80|127), uint64(n))
	}
	return append(append(head, 0, 0, 0, 0), payload...)
}

// many is a piece as often as it fits into one write.
func many(piece []byte) []byte {
	return bytes.Repeat(piece, floodBytes/len(piece))
}

var (
	emptyMessages = [2][]byte{nil, many(message(opBinary, true, nil))}
	// A client's zeros are frames of no length and of an unknown type.
	byteMessages = [2][]byte{nil, many(message(opBinary, true, []byte{0}))}
	// One message that never ends.
	fragments = [2][]byte{message(opBinary, false, []byte{0}), many(message(opContinuation, false, []byte{0}))}
	pings     = [2][]byte{nil, many(message(opPing, true, nil))}
)

// webSocketFlood sends the first piece once and the second without end. Every
// other attacker logs in; the others have begun to send a long ClientInfo.
func webSocketFlood(pieces [2][]byte) func(*flooder) (func(), error) {
	return func(f *flooder) (func(), error) {
		if err := f.learnKey(); err != nil {
			return nil, err
		}
		infos := f.infos(webSocketAttackers)
		attack := func(at int) error {
			a, err := f.open()
			if err != nil {
				return err
			}
			defer f.drop(a)
			if at%2 == 0 {
				err = f.login(a, webSocketHead, infos[at])
			} else if _, err = f.upgrade(a, webSocketHead); err == nil {
				err = a.write(beginOf(frame(frameClientInfo, make([]byte, maxClientInfoLen))))
			}
			if err != nil {
				return err
			}
			a.ignore()
			if _, err := a.Write(pieces[0]); err != nil {
				return err
			}
			return f.repeat(a, pieces[1])
		}
		return func() {
			for at := range webSocketAttackers {
				f.each(1, func() error { return attack(at) })
			}
		}, nil
	}
}

// beginOf is a frame's header.
func beginOf(frame []byte) []byte {
	return frame[:frameHeaderLen]
}
