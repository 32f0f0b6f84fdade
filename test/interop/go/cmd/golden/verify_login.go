package main

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"time"

	"derphttp.test/interop/internal/wire"
	"tailscale.com/types/key"
)

// verify gives each half that is there to the stock code of the other.
func (l Login) verify() error {
	if l.ClientInfoHex != "" {
		if err := l.verifyClientHalf(); err != nil {
			return fmt.Errorf("client half: %w", err)
		}
	}
	if l.ServerInfoHex != "" {
		if err := l.verifyServerHalf(); err != nil {
			return fmt.Errorf("server half: %w", err)
		}
	}
	return nil
}

func (l Login) verifyClientHalf() error {
	server, err := privateKey(l.ServerPrivateKey)
	if err != nil {
		return err
	}
	client, err := publicKey(l.ClientPublicKey)
	if err != nil {
		return err
	}
	frame, err := hex.DecodeString(l.ClientInfoHex)
	if err != nil {
		return err
	}
	if err := l.verifyClientInfoJSON(server, client, frame); err != nil {
		return err
	}
	relay := wire.NewRelay(server, l.ServerMeshKey)
	defer relay.Close()
	watcher, err := watch(relay)
	if err != nil {
		return err
	}
	if err := logIn(relay, wire.Guest{RemoteAddr: l.RemoteAddr}, frame); err != nil {
		return fmt.Errorf("the stock server does not log it in: %w", err)
	}
	present, err := watcher.Next("peerPresent")
	if err != nil {
		return err
	}
	if present.Key != client.String() || *present.Flags != l.PresentFlags {
		return fmt.Errorf("announced as %s with flags %d, expected %s with %d",
			present.Key, *present.Flags, client, l.PresentFlags)
	}
	return nil
}

func (l Login) verifyClientInfoJSON(server key.NodePrivate, client key.NodePublic, frame []byte) error {
	const boxAt = wire.HeaderLen + key.NodePublicRawLen
	if len(frame) < boxAt {
		return fmt.Errorf("frame of %d bytes", len(frame))
	}
	plain, ok := server.OpenFrom(client, frame[boxAt:])
	if !ok {
		return errors.New("the box does not open")
	}
	var got, want any
	if err := errors.Join(json.Unmarshal(plain, &got), json.Unmarshal([]byte(l.ClientInfoJSON), &want)); err != nil {
		return err
	}
	if !reflect.DeepEqual(got, want) {
		return fmt.Errorf("the box holds %s, expected %s", plain, l.ClientInfoJSON)
	}
	return nil
}

// logIn speaks the client's half with the frame as it is.
func logIn(relay wire.Relay, g wire.Guest, clientInfo []byte) error {
	conn := relay.Dial(g)
	conn.SetDeadline(time.Now().Add(5 * time.Second))
	if err := readFrame(conn, wire.ServerKey); err != nil {
		return err
	}
	if _, err := conn.Write(clientInfo); err != nil {
		return err
	}
	return readFrame(conn, wire.ServerInfo)
}

func readFrame(r io.Reader, frameType byte) error {
	header := make([]byte, wire.HeaderLen)
	if _, err := io.ReadFull(r, header); err != nil {
		return err
	}
	if header[0] != frameType {
		return fmt.Errorf("frame of type %#x, expected %#x", header[0], frameType)
	}
	length := int64(header[1])<<24 | int64(header[2])<<16 | int64(header[3])<<8 | int64(header[4])
	_, err := io.CopyN(io.Discard, r, length)
	return err
}

func (l Login) verifyServerHalf() error {
	serverKey, err := hex.DecodeString(l.ServerKeyHex)
	if err != nil {
		return err
	}
	serverInfo, err := hex.DecodeString(l.ServerInfoHex)
	if err != nil {
		return err
	}
	client, err := privateKey(l.ClientPrivateKey)
	if err != nil {
		return err
	}
	got, err := feed(client, key.NodePublic{}, append(serverKey, serverInfo...))
	if err != nil {
		return err
	}
	if len(got) != 1 || got[0].Type != "serverInfo" {
		return fmt.Errorf("read as %s", need(json.Marshal(got)))
	}
	return nil
}
