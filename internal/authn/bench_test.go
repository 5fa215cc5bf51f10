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

func FuzzAuthenticateToken(f *testing.F) {
	n := newNode(f)
	token, _ := n.issue()
	f.Add(token)
	f.Add("a.b.c")
	f.Fuzz(func(t *testing.T, token string) {
		r := request()
		r.Header["Authorization"] = []string{"Bearer " + token}
		if id, fault := n.Authenticate(r); fault == nil && id.UserID != n.User.ID {
			t.Errorf("%q is valid for %+v", token, id)
		}
	})
}
