package sqlstore

import (
	"strconv"
	"strings"
)

// inSizes are the lengths of IN lists: few, so that each is one prepared
// statement.
var inSizes = [...]int{1, 2, 4, 8, 16, 32, 64}

// inTexts are the lists for parameters from $1, $2 and $3.
var inTexts = func() (texts [4][len(inSizes)]string) {
	for first := 1; first <= 3; first++ {
		for i, size := range inSizes {
			params := make([]string, size)
			for p := range params {
				params[p] = "$" + strconv.Itoa(first+p)
			}
			texts[first][i] = `IN (` + strings.Join(params, `, `) + `)`
		}
	}
	return texts
}()

// inList takes as many ids as fit into one list and returns its text, with
// parameters from number first (1 to 3) on, and its arguments. Places left over
// repeat the last id.
func inList[T string | int64](first int, ids *[]T) (text string, args []any) {
	size := 0
	for inSizes[size] < len(*ids) && size < len(inSizes)-1 {
		size++
	}
	args = make([]any, inSizes[size])
	for i := range args {
		args[i] = (*ids)[min(i, len(*ids)-1)]
	}
	*ids = (*ids)[min(len(args), len(*ids)):]
	return inTexts[first][size], args
}
