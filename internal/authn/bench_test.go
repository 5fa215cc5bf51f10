package authn_test

import "testing"

func BenchmarkAuthenticateToken(b *testing.B) {
	n := newNode(b)
	token, _ := n.issue()
	r := request("Authorization", "Bearer "+token)
	b.ReportAllocs()
	for b.Loop() {
		if _, f := n.Authenticate(r); f != nil {
			b.Fatal(f)
		}
	}
}

func BenchmarkAuthenticateKey(b *testing.B) {
	n := newNode(b)
	_, secret := n.createKey("acme")
	r := request("authorization-token", secret)
	b.ReportAllocs()
	for b.Loop() {
		if _, f := n.Authenticate(r); f != nil {
			b.Fatal(f)
		}
	}
}
