// Netcheck measures the regions of a DERP map with the stock netcheck and prints
// its report as a JSON line.
//
// It reads the map from standard input. Started with "tcp", it behaves as where
// UDP is blocked, but without ICMP, which tells nothing about a relay. It sees no
// network interface but loopback, which keeps it from asking servers of the world
// whether there is a captive portal.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net"
	"os"

	"tailscale.com/net/netcheck"
	"tailscale.com/net/netmon"
	"tailscale.com/tailcfg"
)

func main() {
	log.SetFlags(0)
	if err := run(os.Args[1:]); err != nil {
		log.Fatal(err)
	}
}

func run(args []string) error {
	onlyTCP := len(args) == 1 && args[0] == "tcp"
	if len(args) != 0 && !onlyTCP {
		return fmt.Errorf("usage: netcheck [tcp]")
	}
	var derpMap tailcfg.DERPMap
	if err := json.NewDecoder(os.Stdin).Decode(&derpMap); err != nil {
		return err
	}
	netmon.RegisterInterfaceGetter(loopback)
	client := &netcheck.Client{
		NetMon:              netmon.NewStatic(),
		Logf:                log.Printf,
		SkipExternalNetwork: true,
		// Waits for every region, not only for the first three.
		Verbose: true,
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if err := client.Standalone(ctx, ""); err != nil {
		return err
	}
	report, err := client.GetReport(ctx, &derpMap, &netcheck.GetReportOpts{OnlyTCP443: onlyTCP})
	if err != nil {
		return err
	}
	line, err := json.Marshal(report)
	if err != nil {
		return err
	}
	fmt.Println(string(line))
	return nil
}

func loopback() ([]netmon.Interface, error) {
	all, err := net.Interfaces()
	if err != nil {
		return nil, err
	}
	for i := range all {
		if all[i].Flags&net.FlagLoopback != 0 {
			return []netmon.Interface{{Interface: &all[i]}}, nil
		}
	}
	return nil, fmt.Errorf("find loopback: no such interface")
}
