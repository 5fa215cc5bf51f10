package bench

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"time"
)

// Sandbox is a sandbox in a process of its own, so that its work can be told apart from
// the server's.
type Sandbox struct {
	Banks  string // banks file of its banks
	Orders string // journal of its BankID orders
	PID    int
	Stop   func() error
}

// orderStarts returns when each order in a journal of BankID orders began, by the token
// that begins the texts of its QR codes.
func orderStarts(path string) (map[string]time.Time, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	starts := map[string]time.Time{}
	for in := bufio.NewReader(f); ; {
		line, err := in.ReadBytes('\n')
		if err == io.EOF { // a line without an end is still being written
			return starts, nil
		}
		if err != nil {
			return nil, err
		}
		var entry struct {
			Order *struct {
				QRStartToken string
				StartedAt    time.Time
			}
		}
		if err := json.Unmarshal(line, &entry); err != nil {
			return nil, err
		}
		if entry.Order != nil {
			starts[entry.Order.QRStartToken] = entry.Order.StartedAt
		}
	}
}
