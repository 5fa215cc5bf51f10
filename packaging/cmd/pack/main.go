// Command pack makes what operators install from a program that is built: a Debian package,
// and an OCI image in a tar file. It needs neither dpkg nor a container daemon, and the same
// program gives the same bytes.
//
//	pack deb|image --program bin/samla --root . --out DIR
//
// It prints the path of the file that it has written.
package main

import (
	"debug/buildinfo"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "pack:", err)
		os.Exit(1)
	}
}

// release is a program and what goes with it.
type release struct {
	program string    // path of the binary
	root    string    // directory of the project
	version string    // of Debian's form, such as 0.0.0~git20261127.0123456789ab
	arch    string    // GOARCH
	time    time.Time // of the revision; every file has it
}

func run(args []string) error {
	makers := map[string]func(release, string) (string, error){"deb": writeDeb, "image": writeImage}
	if len(args) == 0 || makers[args[0]] == nil {
		return errors.New("usage: pack deb|image --program FILE --root DIR --out DIR")
	}
	flags := flag.NewFlagSet("pack", flag.ContinueOnError)
	program := flags.String("program", "bin/samla", "`FILE` to pack")
	root := flags.String("root", ".", "`DIR` of the project")
	out := flags.String("out", "bin", "`DIR` to write to")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	r, err := releaseOf(*program, *root)
	if err != nil {
		return err
	}
	if r.time.Unix() == 0 {
		fmt.Fprintf(os.Stderr, "pack: %s does not say of which revision it is: its version, %s, is older than every other, and no upgrade. Build it in a clone with git, without -buildvcs=false\n", r.program, r.version)
	}
	file, err := makers[args[0]](r, *out)
	if err == nil {
		fmt.Println(file)
	}
	return err
}

// releaseOf reads from a program what it is.
func releaseOf(program, root string) (release, error) {
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		return release{}, fmt.Errorf("%s: %w", program, err)
	}
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	if settings["GOOS"] != "linux" {
		return release{}, fmt.Errorf("%s is for %s: packages and images are for linux", program, settings["GOOS"])
	}
	r := release{program: program, root: root, arch: settings["GOARCH"], time: time.Unix(0, 0).UTC()}
	if at := settings["vcs.time"]; at != "" {
		if r.time, err = time.Parse(time.RFC3339, at); err != nil {
			return release{}, fmt.Errorf("%s: %w", program, err)
		}
	}
	r.version = versionOf(info.Main.Version, settings["vcs.revision"], settings["vcs.modified"] == "true", r.time)
	return r, nil
}

// versionOf returns a version as Debian orders them: a tag without its v, or, between
// releases, one that is older than every release.
func versionOf(module, revision string, modified bool, at time.Time) string {
	if strings.HasPrefix(module, "v") && !strings.HasPrefix(module, "v0.0.0-") && !modified {
		return strings.ReplaceAll(strings.TrimPrefix(module, "v"), "-", "~")
	}
	version := "0.0.0~git" + at.Format("20060102150405")
	if revision != "" {
		version += "." + revision[:min(12, len(revision))]
	}
	if modified {
		version += "+modified"
	}
	return version
}
