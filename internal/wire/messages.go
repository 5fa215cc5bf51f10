package wire

import (
	"strings"

	"samla/internal/fault"
)

var formatMessages = map[string]string{
	"date":      "must be a date, YYYY-MM-DD",
	"date-time": "must be a time, such as 2026-06-11T09:21:44.512Z",
	"email":     "must be an e-mail address",
}

// typeMessage names the type that a value must have. null is not one: it means the
// same as absent.
func typeMessage(types []string) string {
	for _, name := range types {
		switch name {
		case "null":
		case "array", "object", "integer":
			return "must be an " + name
		default:
			return "must be a " + name
		}
	}
	return "must be null"
}

func noBranchMessage(k *noBranch) string {
	switch k.code {
	case fault.Required:
		return "is missing"
	case fault.UnknownType:
		return "must be one of " + strings.Join(k.known, ", ")
	}
	return "must be a string"
}
