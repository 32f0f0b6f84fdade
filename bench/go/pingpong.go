package main

import (
	"time"

	"tailscale.com/derp"
	"tailscale.com/derp/derphttp"
	"tailscale.com/types/key"
)

type pingPongResult struct {
	window
	RoundTrip distribution `json:"roundTripMicros"`
}

// pingPong sends one packet at a time to an echo client and measures round
// trips through the relay.
func pingPong(s settings) (any, error) {
	dialer, err := newDialer(s)
	if err != nil {
		return nil, err
	}
	clients, err := dialer.loginAll(2, 2)
	if err != nil {
		return nil, err
	}
	player, echo := clients[0], clients[1]
	go reflect(echo, player.SelfPublicKey())
	if _, err := play(player, echo.SelfPublicKey(), s.size, s.warmup); err != nil {
		return nil, err
	}
	say("ready", nil)
	then := usageNow(s.pid)
	times, err := play(player, echo.SelfPublicKey(), s.size, s.duration)
	if err != nil {
		return nil, err
	}
	result := pingPongResult{window: usageNow(s.pid).since(then)}
	all := ages{all: times}
	result.RoundTrip = all.distribution()
	return result, nil
}

// play measures round trips for some time.
func play(client *derphttp.Client, to key.NodePublic, size int, duration time.Duration) ([]time.Duration, error) {
	packet := make([]byte, size)
	times := make([]time.Duration, 0, 1<<16)
	for began := time.Now(); time.Since(began) < duration; {
		stamp(packet)
		if err := client.Send(to, packet); err != nil {
			return nil, err
		}
		data, err := nextPacket(client)
		if err != nil {
			return nil, err
		}
		times = append(times, age(data))
	}
	return times, nil
}

func reflect(client *derphttp.Client, to key.NodePublic) {
	for {
		data, err := nextPacket(client)
		if err != nil || client.Send(to, data) != nil {
			return
		}
	}
}

func nextPacket(client *derphttp.Client) ([]byte, error) {
	for {
		message, err := client.Recv()
		if err != nil {
			return nil, err
		}
		if packet, ok := message.(derp.ReceivedPacket); ok {
			return packet.Data, nil
		}
	}
}
