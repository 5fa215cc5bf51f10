package source

import (
	"encoding/json"
	"regexp"
	"slices"

	"samla/internal/dialogue"
)

type wireAsk struct {
	Question     string            `json:"question"`
	Kind         string            `json:"kind"`
	Message      string            `json:"message"`
	ResponseType string            `json:"responseType"`
	Choices      []dialogue.Choice `json:"choices"`
	Inputs       []string          `json:"inputs"`
	Wrong        bool              `json:"wrong"`
	AttemptsLeft *int              `json:"attemptsLeft"`
}

// The most choices and inputs of a question.
const (
	maxChoices = 20
	maxInputs  = 10
)

var wordRE = regexp.MustCompile(`^[A-Z][A-Z0-9_]{0,49}$`)

const wordRule = "must be a word of A-Z, 0-9 and _"

func (r *reader) ask(raw json.RawMessage) *dialogue.Ask {
	var in wireAsk
	if !r.decode("/turn", raw, &in) {
		return nil
	}
	r.id("/turn/question", in.Question, maxID, true)
	r.matches("/turn/responseType", in.ResponseType, wordRE, wordRule)
	if in.AttemptsLeft != nil && *in.AttemptsLeft < 0 {
		r.add("/turn/attemptsLeft", "must not be negative")
	}
	ask := &dialogue.Ask{Question: in.Question, Kind: dialogue.Kind(in.Kind), Message: r.text("/turn/message", in.Message, maxMessage),
		ResponseType: in.ResponseType, Wrong: in.Wrong, AttemptsLeft: in.AttemptsLeft}
	switch ask.Kind {
	case dialogue.Code:
		ask.Choices = r.choices(in.Choices)
		if slices.ContainsFunc(in.Choices, func(c dialogue.Choice) bool { return c.ID != dialogue.Resend }) {
			r.add("/turn/choices", "can be RESEND only beside a code")
		}
	case dialogue.Method:
		if ask.Choices = r.choices(in.Choices); len(in.Choices) == 0 {
			r.add("/turn/choices", "is missing")
		}
	case dialogue.Contact, dialogue.Input:
		ask.Inputs = r.inputs(in.Inputs)
	default:
		r.add("/turn/kind", "must be CODE, CHOICE, CONTACT or INPUT")
	}
	return ask
}

func (r *reader) choices(in []dialogue.Choice) []dialogue.Choice {
	if len(in) > maxChoices {
		r.add("/turn/choices", "are more than 20")
		return nil
	}
	choices := slices.Clone(in)
	for i, c := range in {
		r.id(at("choices", i, "/id"), c.ID, maxID, true)
		if slices.ContainsFunc(in[:i], func(o dialogue.Choice) bool { return o.ID == c.ID }) {
			r.add(at("choices", i, "/id"), "is there twice")
		}
		if choices[i].Name = r.text(at("choices", i, "/name"), c.Name, maxName); choices[i].Name == "" {
			r.add(at("choices", i, "/name"), "is missing")
		}
	}
	return choices
}

func (r *reader) inputs(in []string) []string {
	if len(in) == 0 || len(in) > maxInputs {
		r.add("/turn/inputs", "must have 1 to 10 items")
		return nil
	}
	for i, name := range in {
		if !wordRE.MatchString(name) || slices.Contains(in[:i], name) {
			r.add(at("inputs", i, ""), wordRule+", each once")
		}
	}
	return in
}
