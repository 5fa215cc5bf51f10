// Command shop is an example of a program that uses Samla: a page on which a person connects
// accounts, and sees them. It makes a connect link, frames the connect page or sends the
// person there, receives the webhook, verifies it, and shows the data.
//
//	go run ./examples/shop
//
// starts a `samla dev` beside it. To use one that runs: -api and -key. The connect page is
// framed if `samla client origin add Example http://127.0.0.1:8095` has registered the shop,
// which -embed says.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	samla "samla/clients/go"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:8095", "address of the shop")
	api := flag.String("api", "", "address of a Samla that runs; empty: one is started")
	key := flag.String("key", os.Getenv("SAMLA_KEY"), "its API key")
	embed := flag.Bool("embed", false, "frame the connect page; the shop's origin is registered")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *listen, *api, *key, *embed); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, listen, api, key string, embed bool) error {
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	origin := "http://" + listener.Addr().String()
	if api == "" {
		started, err := startSamla(ctx, origin)
		if err != nil {
			return err
		}
		defer started.stop()
		api, key, embed = started.API, started.APIKey, true
		fmt.Printf("Phone    %s/sandbox/bankid  (approves; the browser warns about its certificate)\n", started.Sandbox)
	}
	backend, err := samla.New(api, key, nil)
	if err != nil {
		return err
	}
	endpoint, err := backend.CreateWebhookEndpoint(ctx, nil, samla.CreateWebhookEndpointRequest{Url: origin + "/webhook"})
	if err != nil {
		return fmt.Errorf("the webhook cannot be registered: %w", err)
	}
	s := newShop(backend, api)
	if embed {
		s.origin = origin
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.page)
	mux.HandleFunc("GET /state", s.state)
	mux.Handle("POST /connect", http.NewCrossOriginProtection().Handler(http.HandlerFunc(s.connect)))
	mux.Handle("POST /webhook", samla.WebhookHandler(s.receive, endpoint.Secret))
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go s.read(ctx)
	go func() {
		<-ctx.Done()
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		_ = backend.DeleteWebhookEndpoint(end, endpoint.Id)
		_ = server.Shutdown(end)
	}()
	fmt.Println("Shop    ", origin)
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
