package post

import (
	"context"
	"crypto/tls"
	"net"
	"net/netip"
	"syscall"
	"time"

	"samla/internal/webhook"
)

// allows reports whether an address may be connected to.
func (r *Receiver) allows(addr netip.Addr) bool {
	local := r.cfg.Targets == webhook.LoopbackTargets && r.url.Scheme == "http"
	return r.cfg.Targets.Allows(addr) && (!local || addr.Unmap().IsLoopback())
}

// resolve returns the addresses of the receiver that may be called. Error:
// webhook.ErrAddress if there are others only.
func (r *Receiver) resolve(ctx context.Context) ([]netip.Addr, error) {
	host := r.url.Hostname()
	all := []netip.Addr{}
	if addr, err := netip.ParseAddr(host); err == nil {
		all = append(all, addr)
	} else if all, err = r.cfg.Resolver.LookupNetIP(ctx, "ip", host); err != nil || len(all) == 0 {
		return nil, failed{webhook.NameNotResolved, err}
	}
	var allowed []netip.Addr
	for _, addr := range all {
		if r.allows(addr) {
			allowed = append(allowed, addr.Unmap())
		}
	}
	if len(allowed) == 0 {
		return nil, webhook.ErrAddress
	}
	return allowed, nil
}

// dial connects to one of the receiver's addresses. The address of the socket is checked
// again, whatever the name leads to by now.
func (r *Receiver) dial(ctx context.Context) (*conn, error) {
	addrs, err := r.resolve(ctx)
	if err != nil {
		return nil, err
	}
	port := r.url.Port()
	if port == "" {
		port = r.url.Scheme // a name that net knows
	}
	d := net.Dialer{Control: func(_, address string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(address)
		if err != nil || !r.allows(at.Addr()) {
			return webhook.ErrAddress
		}
		return nil
	}}
	deadline, _ := ctx.Deadline()
	var c net.Conn
	for i, addr := range addrs {
		// Each address gets its part of the time that is left.
		one, cancel := context.WithDeadline(ctx, machine.Now().Add(deadline.Sub(machine.Now())/time.Duration(len(addrs)-i)))
		c, err = d.DialContext(one, "tcp", net.JoinHostPort(addr.String(), port))
		cancel()
		if err == nil {
			break
		}
	}
	if err != nil {
		return nil, err
	}
	raw := c
	if r.url.Scheme == "https" {
		t := tls.Client(c, &tls.Config{ServerName: r.url.Hostname(), MinVersion: tls.VersionTLS12, RootCAs: r.cfg.Roots, NextProtos: []string{"http/1.1"}})
		if err := t.HandshakeContext(ctx); err != nil {
			_ = c.Close()
			return nil, failed{webhook.TLSFailed, err}
		}
		c = t
	}
	return newConn(c, raw), nil
}
