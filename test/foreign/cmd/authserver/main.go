// Command authserver runs a foreign authorisation server for tests. It reads an
// authserver.Config as one line of JSON from its standard input, prints {"issuer": …} on
// one line once it serves, and ends when its standard input does.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"samla/foreign/authserver"
)

func main() {
	if err := run(context.Background(), os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, stdin io.Reader, stdout io.Writer) error {
	in := bufio.NewReader(stdin)
	line, err := in.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("authserver: the configuration is one line of JSON: %w", err)
	}
	var c authserver.Config
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(&c); err != nil {
		return fmt.Errorf("authserver: configuration: %w", err)
	}
	s, err := authserver.Start(ctx, c)
	if err != nil {
		return err
	}
	if err := json.NewEncoder(stdout).Encode(map[string]string{"issuer": s.Issuer()}); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, in)
	if stop := s.Stop(); err == nil {
		err = stop
	}
	return err
}
