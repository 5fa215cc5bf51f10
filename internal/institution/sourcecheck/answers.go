package sourcecheck

import (
	"errors"
	"strings"

	"samla/internal/dialogue"
	"samla/internal/strictjson"
)

var errAnswer = errors.New("an answer must be code=…, choice=…, or the name of an input and its value, such as EMAIL=a@example.com")

// ParseAnswers reads answers to questions: first short ones such as code=123456, choice=SMS
// or EMAIL=a@example.com, then those of a file, a JSON list of answers of the protocol without
// the member question; nil = no file.
func ParseAnswers(short []string, file []byte) (list []dialogue.Answer, err error) {
	for _, text := range short {
		kind, value, ok := strings.Cut(text, "=")
		switch {
		case !ok || kind == "":
			return nil, errAnswer
		case kind == "code":
			list = append(list, dialogue.Answer{Code: value})
		case kind == "choice":
			list = append(list, dialogue.Answer{Choice: value})
		default:
			list = append(list, dialogue.Answer{Inputs: map[string]string{kind: value}})
		}
	}
	if file == nil {
		return list, nil
	}
	var more struct {
		Answers []dialogue.Answer `json:"answers"`
	}
	text := append(append([]byte(`{"answers":`), file...), '}')
	if faults := strictjson.Decode(text, &more); len(faults) > 0 {
		return nil, faults
	}
	return append(list, more.Answers...), nil
}
