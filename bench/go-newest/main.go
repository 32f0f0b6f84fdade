// A relay of nothing but the original's server package: its own command does not build from the module proxy.
//
// It takes the flags of derper that the benchmark uses, and shows the meta certificate as derper does.
package main

import (
	"crypto/tls"
	"flag"
	"log"
	"net/http"
	"path/filepath"

	"tailscale.com/derp/derpserver"
	"tailscale.com/types/key"
)

func main() {
	addr := flag.String("a", ":443", "server address")
	hostname := flag.String("hostname", "", "host name, for -certmode manual")
	certMode := flag.String("certmode", "", "manual for TLS, empty for plain HTTP")
	certDir := flag.String("certdir", "", "directory of the certificate")
	// Told to all relays of the benchmark; here each start has a key of its own, and there is one port.
	for _, name := range []string{"c", "http-port"} {
		flag.String(name, "", "ignored")
	}
	flag.Bool("stun", false, "ignored")
	flag.Parse()

	server := derpserver.New(key.NewNode(), func(string, ...any) {})
	mux := http.NewServeMux()
	mux.Handle("/derp", derpserver.Handler(server))
	mux.HandleFunc("/derp/probe", derpserver.ProbeHandler)
	mux.HandleFunc("/generate_204", derpserver.ServeNoContent)
	srv := &http.Server{Addr: *addr, Handler: mux}
	if *certMode != "manual" {
		log.Fatal(srv.ListenAndServe())
	}
	base := filepath.Join(*certDir, *hostname)
	cert, err := tls.LoadX509KeyPair(base+".crt", base+".key")
	if err != nil {
		log.Fatal(err)
	}
	cert.Certificate = append(cert.Certificate, server.MetaCert())
	srv.TLSConfig = &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"http/1.1"}}
	log.Fatal(srv.ListenAndServeTLS("", ""))
}
