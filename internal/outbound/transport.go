package outbound

import (
	"crypto/tls"
	"net"
	"net/http"
	"time"
)

// newTransport speaks HTTP/1.1 on connections that are kept: for many small
// exchanges within one process it costs less than HTTP/2's framing and flow
// control (BenchmarkExchange compares them), and one slow answer holds up no
// other.
func newTransport(c Config, l Limits) *http.Transport {
	settings := &tls.Config{
		MinVersion: tls.VersionTLS12,
		RootCAs:    c.Roots,
		Time:       c.Now,
		// Resumption spares both sides the certificates after the first connection.
		ClientSessionCache: tls.NewLRUClientSessionCache(l.Conns),
	}
	if c.Certificate != nil {
		// Given whatever the partner's list of CAs says: many banks send one that
		// leaves the QWAC's issuer out.
		settings.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			return c.Certificate, nil
		}
	}
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	return &http.Transport{
		DialContext:           (&net.Dialer{Timeout: l.Connect, KeepAlive: 30 * time.Second}).DialContext,
		TLSClientConfig:       settings,
		TLSHandshakeTimeout:   l.Connect,
		ResponseHeaderTimeout: l.Headers,
		MaxConnsPerHost:       l.Conns,
		MaxIdleConns:          l.Conns,
		MaxIdleConnsPerHost:   l.Conns,
		IdleConnTimeout:       60 * time.Second,
		Protocols:             &protocols,
		// A proxy would end the mutual TLS; the environment must not bring one in.
		Proxy: nil,
	}
}
