// Command licences writes the licences of the third-party software that a Go
// program carries: the modules that are linked into the binary, and Go itself.
//
//	licences BINARY >FILE
//
// It fails, and names the module, if a module has no licence text or one that is
// not recognised: a release needs a decision by a person then.
package main

import (
	"bufio"
	"debug/buildinfo"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: licences BINARY")
		os.Exit(2)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "licences:", err)
		os.Exit(1)
	}
}

func run(binary string) error {
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		return err
	}
	root, err := goEnv("GOROOT")
	if err != nil {
		return err
	}
	components := []component{{name: "Go standard library", version: info.GoVersion, dir: root}}
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		dir, err := moduleDir(m.Path, m.Version)
		if err != nil {
			return err
		}
		components = append(components, component{name: m.Path, version: m.Version, dir: dir})
	}
	var faults []error
	for i := range components {
		faults = append(faults, components[i].read())
	}
	if err := errors.Join(faults...); err != nil {
		return err
	}
	out := bufio.NewWriter(os.Stdout)
	write(out, components)
	return out.Flush()
}

func goEnv(name string) (string, error) {
	out, err := exec.Command("go", "env", name).Output()
	return strings.TrimSpace(string(out)), err
}

// moduleDir returns the folder of a module in the module cache.
func moduleDir(path, version string) (string, error) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", path).Output()
	dir := strings.TrimSpace(string(out))
	if err == nil && dir == "" {
		err = fmt.Errorf("%s %s is not in the module cache: build the program first", path, version)
	}
	return dir, err
}
