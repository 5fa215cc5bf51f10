package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// completionCmd prints scripts for shells. They ask samla itself what fits, so that they know
// every command and flag of the program that is installed.
type completionCmd struct {
	Bash  completionBashCmd  `cmd:"" help:"For bash: source <(samla completion bash), in ~/.bashrc."`
	Zsh   completionZshCmd   `cmd:"" help:"For zsh: source <(samla completion zsh), in ~/.zshrc after compinit."`
	Fish  completionFishCmd  `cmd:"" help:"For fish: samla completion fish | source, in ~/.config/fish/config.fish."`
	Words completionWordsCmd `cmd:"" hidden:"" help:"Print what fits as the last of some words: for the scripts."`
}

type (
	completionBashCmd struct{}
	completionZshCmd  struct{}
	completionFishCmd struct{}
)

type completionWordsCmd struct {
	Described bool     `help:"Print a tab and the help after each word."`
	Words     []string `arg:"" optional:"" passthrough:""`
}

const bashScript = `_samla() {
	local IFS=$'\n'
	COMPREPLY=($(samla completion words -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _samla samla
`

const zshScript = `#compdef samla
_samla() {
	local -a found
	found=("${(@f)$(samla completion words -- "${(@)words[2,CURRENT]}" 2>/dev/null)}")
	if [[ -n "${found[1]}" ]]; then compadd -a found; else _files; fi
}
compdef _samla samla
`

const fishScript = `complete -c samla -a '(samla completion words --described -- (commandline -opc)[2..-1] (commandline -ct) 2>/dev/null)'
`

// Run prints the script.
func (completionBashCmd) Run(a *app) error { return a.print(bashScript) }

// Run prints the script.
func (completionZshCmd) Run(a *app) error { return a.print(zshScript) }

// Run prints the script.
func (completionFishCmd) Run(a *app) error { return a.print(fishScript) }

func (a *app) print(text string) error {
	_, err := fmt.Fprint(a.out, text)
	return err
}

// Run prints what fits, a line each; nothing: the shell offers files.
func (c *completionWordsCmd) Run(a *app, k *kong.Context) error {
	words := slices.DeleteFunc(slices.Clone(c.Words), func(w string) bool { return w == "--" })
	for _, s := range suggest(k.Model.Node, words) {
		if c.Described && s.help != "" {
			s.word += "\t" + s.help
		}
		if err := a.print(s.word + "\n"); err != nil {
			return err
		}
	}
	return nil
}

// suggestion is a word that fits, and its help.
type suggestion struct{ word, help string }

// suggest returns what fits as the last of some words.
func suggest(node *kong.Node, words []string) []suggestion {
	words = joined(words)
	if len(words) == 0 {
		words = []string{""}
	}
	before, last := words[:len(words)-1], words[len(words)-1]
	var of *kong.Flag // the flag whose value is the next word
	var args int
	for _, word := range before {
		switch {
		case of != nil:
			of = nil
		case strings.HasPrefix(word, "-"):
			if of = flagOf(node, word); of != nil && (of.IsBool() || strings.Contains(word, "=")) {
				of = nil
			}
		default:
			if child := childOf(node, word); child != nil {
				node = child
			} else {
				args++
			}
		}
	}
	if of != nil {
		return fitting(valuesOf(of.Value), last)
	}
	if name, value, is := strings.Cut(last, "="); is && strings.HasPrefix(name, "--") {
		if f := flagOf(node, name); f != nil {
			return fitting(valuesOf(f.Value), value)
		}
	}
	if strings.HasPrefix(last, "-") {
		return flagsOf(node, last)
	}
	var found []suggestion
	for _, child := range node.Children {
		if child.Type == kong.CommandNode && !child.Hidden {
			found = append(found, suggestion{child.Name, child.Help})
		}
	}
	if args < len(node.Positional) {
		found = append(found, fitting(valuesOf(node.Positional[args]), "")...)
	}
	return slices.DeleteFunc(found, func(s suggestion) bool { return !strings.HasPrefix(s.word, last) })
}

// joined undoes that bash makes three words of --flag=value.
func joined(words []string) (all []string) {
	for i, word := range words {
		switch {
		case word == "=" && len(all) > 0:
			all[len(all)-1] += "="
		case i > 0 && words[i-1] == "=":
			all[len(all)-1] += word
		default:
			all = append(all, word)
		}
	}
	return all
}

func childOf(node *kong.Node, word string) *kong.Node {
	for _, child := range node.Children {
		if child.Type == kong.CommandNode && (child.Name == word || slices.Contains(child.Aliases, word)) {
			return child
		}
	}
	return nil
}

// flagOf returns the flag that a word names: --name, --name=value or -n.
func flagOf(node *kong.Node, word string) *kong.Flag {
	name, _, _ := strings.Cut(strings.TrimLeft(word, "-"), "=")
	for _, group := range node.AllFlags(true) {
		for _, f := range group {
			if f.Name == name || f.Short != 0 && string(f.Short) == name {
				return f
			}
		}
	}
	return nil
}

func flagsOf(node *kong.Node, last string) (found []suggestion) {
	for _, group := range node.AllFlags(true) {
		for _, f := range group {
			if word := "--" + f.Name; strings.HasPrefix(word, last) {
				found = append(found, suggestion{word, f.Help})
			}
		}
	}
	return found
}

// valuesOf returns the values that a flag or an argument can have; none: any.
func valuesOf(v *kong.Value) []string {
	if v.Enum != "" {
		return slices.DeleteFunc(strings.Split(v.Enum, ","), func(s string) bool { return s == "" })
	}
	if v.Tag == nil || v.Tag.Get("complete") != "profiles" {
		return nil
	}
	known, err := readProfiles()
	if err != nil {
		return nil
	}
	return slices.Sorted(maps.Keys(known.Profiles))
}

// fitting returns the values that begin as the last word does, of which a list has the part
// behind the last comma.
func fitting(values []string, last string) (found []suggestion) {
	head := last[:strings.LastIndex(last, ",")+1]
	for _, v := range values {
		if strings.HasPrefix(head+v, last) && !slices.Contains(strings.Split(head, ","), v) {
			found = append(found, suggestion{word: head + v})
		}
	}
	return found
}
