package browser

import (
	"bufio"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"samla/internal/store"
)

// The example shop frames the connect page, gets the webhook, and shows the data to the
// person whose link it was, and to nobody else.
func shopShowsData(t *testing.T, d *driver, w *world) {
	program := filepath.Join(t.TempDir(), "shop")
	build := exec.Command("go", "build", "-trimpath", "-o", program, "../../examples/shop")
	build.Env = append(os.Environ(), "CGO_ENABLED=0") // as all that is built without the race detector
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	shop := "http://" + free.Addr().String()
	clients, err := w.Server.Store().Clients(t.Context())
	if err == nil {
		err = w.Server.Store().Write(t.Context(), func(tx store.Tx) error { return tx.AddFrameOrigin(t.Context(), clients[0].ID, shop, time.Now()) })
	}
	if err != nil {
		t.Fatal(err)
	}
	_ = free.Close()
	cmd := exec.Command(program, "-embed", "-listen", free.Addr().String(), "-api", w.Server.URL())
	cmd.Env, cmd.Stderr = append(os.Environ(), "SAMLA_KEY="+w.APIKey), os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || !strings.Contains(line, shop) {
		t.Fatalf("the shop says %q, %v", line, err)
	}
	w.elsewhere = hostOf(shop)
	p, other := d.page("mine"), d.page("other")
	p.open(shop)
	p.click("form button")
	p.do(map[string]any{"do": "into", "page": p.name, "url": shop, "what": "#connect iframe"}, nil)
	p.in("OPEN")
	p.click("main button")
	p.in("START")
	p.click("li[data-id=" + demoBank + "] a")
	p.in("REVIEW")
	p.click("button[value=other]")
	p.in("QR")
	w.scans(p, "approve", maja)
	p.do(map[string]any{"do": "outOf", "page": p.name}, nil)
	p.waitFor("#accounts tbody tr:nth-child(3)")
	if got := p.text("#accounts"); !strings.Contains(got, " SEK") {
		t.Errorf("the shop shows %q", got)
	}
	other.open(shop)
	if got := other.text("main"); strings.Contains(got, "SEK") || !strings.Contains(got, "Connect your accounts") {
		t.Errorf("somebody else sees %q", got)
	}
	// It takes its webhook away when it ends.
	_ = cmd.Process.Signal(os.Interrupt)
	if err := cmd.Wait(); err != nil {
		t.Errorf("the shop ends with %v", err)
	}
	var endpoints []struct{ URL string }
	if w.call(http.MethodGet, "/webhook-endpoints", nil, &endpoints); len(endpoints) != 0 {
		t.Errorf("the shop has left %v", endpoints)
	}
}
