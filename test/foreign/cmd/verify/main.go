// Command verify judges HTTP signatures:
//
//	verify -key public.pem < request   prints what is known of the request, or says why its
//	                                   signature is not valid and ends with status 1
//	verify -key public.pem -listen 127.0.0.1:0
//	                                   prints {"address": …} on one line and serves: a request
//	                                   in the body of a POST gets status 200 or 422; ends when
//	                                   its standard input does
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"

	"samla/foreign/signature"
)

func main() {
	if err := run(context.Background(), os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdin io.Reader, stdout io.Writer) error {
	flags := flag.NewFlagSet("verify", flag.ContinueOnError)
	keyFile := flags.String("key", "", "PEM file of the public key or certificate")
	listen := flags.String("listen", "", "address to serve on, in place of reading a request")
	if err := flags.Parse(args); err != nil {
		return err
	}
	text, err := os.ReadFile(*keyFile)
	if err != nil {
		return err
	}
	key, err := signature.ParseKey(text)
	if err != nil {
		return err
	}
	if *listen == "" {
		result, err := signature.Verify(stdin, key)
		if err != nil {
			return fmt.Errorf("invalid: %w", err)
		}
		return json.NewEncoder(stdout).Encode(result)
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", *listen)
	if err != nil {
		return err
	}
	server := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		result, err := signature.Verify(r.Body, key)
		if err != nil {
			http.Error(w, err.Error(), http.StatusUnprocessableEntity)
			return
		}
		_ = json.NewEncoder(w).Encode(result) // an error means that the connection is closed
	})}
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	if err := json.NewEncoder(stdout).Encode(map[string]string{"address": "http://" + l.Addr().String()}); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, stdin)
	_ = server.Close()
	<-served
	return err
}
