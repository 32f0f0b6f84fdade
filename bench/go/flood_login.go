package main

import (
	"bytes"
	"fmt"
	"strings"
	"sync/atomic"

	"tailscale.com/types/key"
)

const (
	// strangers is how many ask together to be let in.
	strangers = 180
	// stormWorkers is the number of connections of a storm at a time.
	stormWorkers = 16
	// readyInfos is the number of clients whose ClientInfo is made beforehand.
	readyInfos      = 64
	refusedPerSec   = 400
	infoReplaysPerS = 20
)

// loginsAtOnce has strangers log in up to ServerKey, and then all at once.
func loginsAtOnce(f *flooder) (func(), error) {
	if err := f.learnKey(); err != nil {
		return nil, err
	}
	waiting := make([]*attacker, strangers)
	together(strangers, stormWorkers, func(at int) error {
		a, err := f.open()
		if err != nil {
			return err
		}
		if _, err := f.upgrade(a, upgradeHead); err != nil {
			f.drop(a)
			return err
		}
		waiting[at] = a
		return nil
	})
	infos := f.infos(strangers)
	return func() {
		for at, a := range waiting {
			if a == nil {
				continue
			}
			go func() {
				if a.write(infos[at]) != nil || f.waitForServerInfo(a) != nil {
					f.counts.failed.Add(1)
				}
			}()
		}
	}, nil
}

// refusedLogins send a ClientInfo that cannot be opened.
func refusedLogins(f *flooder) (func(), error) {
	junk := frame(frameClientInfo, key.NewNode().Public().AppendTo(nil), make([]byte, 100))
	return func() {
		f.eachPaced(stormWorkers, refusedPerSec, func() error {
			_, err := f.enter(upgradeHead, junk)
			return err
		})
	}, nil
}

// nestedInfo replays one long ClientInfo of nested arrays.
func nestedInfo(f *flooder) (func(), error) {
	deep := (maxClientInfoLen - 200) / 2
	text := fmt.Sprintf(`{"version":2,"x":%s%s}`, strings.Repeat("[", deep), strings.Repeat("]", deep))
	return f.replay(text, 1)
}

// keyedInfo replays one of many members, from four clients.
func keyedInfo(f *flooder) (func(), error) {
	var text bytes.Buffer
	text.WriteString(`{"version":2`)
	for at := 0; text.Len() < maxClientInfoLen-200; at++ {
		fmt.Fprintf(&text, `,"k%d":{}`, at)
	}
	text.WriteString("}")
	return f.replay(text.String(), 4)
}

func (f *flooder) replay(text string, clients int) (func(), error) {
	if err := f.learnKey(); err != nil {
		return nil, err
	}
	infos := make([][]byte, clients)
	for at := range infos {
		infos[at] = f.clientInfo(key.NewNode(), []byte(text))
	}
	return func() {
		for _, info := range infos {
			f.eachPaced(stormWorkers, infoReplaysPerS, func() error {
				a, err := f.enter(upgradeHead, info)
				if err == nil {
					f.drop(a)
				}
				return err
			})
		}
	}, nil
}

// loginStorm logs in and leaves.
func loginStorm(f *flooder) (func(), error) {
	if err := f.learnKey(); err != nil {
		return nil, err
	}
	infos := f.infos(readyInfos)
	var next atomic.Int64
	return func() {
		f.each(stormWorkers, func() error {
			a, err := f.enter(upgradeHead, infos[next.Add(1)%readyInfos])
			if err == nil {
				f.drop(a)
			}
			return err
		})
	}, nil
}
