package bankidmsg

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"time"
)

// QRText returns the text of BankID's animated QR code at the time now. It is new each
// second. startedAt is when the order began (docs/reference/banks.md 12.5).
func QRText(startToken, secret string, startedAt, now time.Time) string {
	seconds := strconv.FormatInt(max(0, int64(now.Sub(startedAt)/time.Second)), 10)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(seconds))
	return "bankid." + startToken + "." + seconds + "." + hex.EncodeToString(mac.Sum(nil))
}
