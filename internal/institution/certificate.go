package institution

import (
	"crypto/tls"
	"crypto/x509"
	"time"
)

// WarnBefore is how long before the end of a certificate an operator is warned: an
// authority takes weeks to issue the next one.
const WarnBefore = 30 * 24 * time.Hour

// Certificate is one of our certificates at an institution.
type Certificate struct {
	Use   string // such as "QWAC"
	Until time.Time
}

// SignatureFigures count signatures of requests to an institution since the start.
type SignatureFigures struct {
	Signed, Failed int64
	Waiting        int64         // requests that wait for a processor now
	Waited         time.Duration // for a processor, all together
	Took           time.Duration // wait and signature, all together
}

// Reached is what one connection has shown of an institution.
type Reached struct {
	Took         time.Duration // until the connection stood
	Now          time.Time     // the institution's clock, to the second; zero = it does not say
	PartnerUntil time.Time     // end of its certificate; zero = no TLS
}

// CertificateOf lists a certificate, or nothing if there is none or it cannot be read.
func CertificateOf(use string, pair *tls.Certificate) []Certificate {
	if pair == nil || len(pair.Certificate) == 0 {
		return nil
	}
	leaf, err := x509.ParseCertificate(pair.Certificate[0])
	if err != nil {
		return nil
	}
	return []Certificate{{Use: use, Until: leaf.NotAfter}}
}
