package main

import "crypto/tls"

func (s *session) tlsState(request) (fields, error) {
	state, ok := s.client.TLSConnectionState()
	if !ok {
		return fields{"tls": false}, nil
	}
	certificates := []fields{}
	for _, c := range state.PeerCertificates {
		certificates = append(certificates, fields{
			"commonName": c.Subject.CommonName,
			"serial":     c.SerialNumber.String(),
			"derBase64":  c.Raw,
		})
	}
	return fields{
		"tls":              true,
		"version":          tls.VersionName(state.Version),
		"cipherSuite":      tls.CipherSuiteName(state.CipherSuite),
		"serverName":       state.ServerName,
		"protocol":         state.NegotiatedProtocol,
		"resumed":          state.DidResume,
		"peerCertificates": certificates,
	}, nil
}
