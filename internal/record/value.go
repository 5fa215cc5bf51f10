package record

import (
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"

	"samla/internal/clock"
	"samla/internal/ident"
	"samla/internal/listing"
	"samla/internal/money"
	"samla/internal/plaintext"
)

// testPerson is a test number of Skatteverket: random digits may be somebody's.
const testPerson = "191212121212"

// replacer replaces the values of one case.
type replacer struct {
	*secret
	days  int    // that dates move
	host  string // of the bank, and the path of its base URL
	base  string
	names map[string]string
	clear map[string]bool // words that were kept
	rules map[string]bool // words of the bank's profile, by which it is read

	stayed map[string]bool // what is where it was
}

func newReplacer(key []byte, days int, base string) *replacer {
	r := &replacer{secret: newSecret(key), days: days, names: map[string]string{}, clear: map[string]bool{}, stayed: map[string]bool{}}
	if u, err := url.Parse(base); err == nil {
		r.host, r.base = u.Host, strings.TrimSuffix(u.Path, "/")
	}
	return r
}

// profile keeps the words of the bank's profile, which is the operator's and in the case as it
// is: rules of it look for them.
func (r *replacer) profile(text json.RawMessage) {
	r.rules = map[string]bool{}
	for _, word := range runs.FindAllString(strings.ToLower(string(text)), -1) {
		r.rules[word] = true
		r.keep(word)
	}
	for _, word := range []string{"https", "bank", "example", "host", testPerson} {
		r.keep(word)
	}
}

// keep returns a word that is kept.
func (r *replacer) keep(text string) string {
	r.clear[strings.ToLower(text)] = true
	return text
}

// member returns the name of a member.
func (r *replacer) member(name string) string {
	if members[strings.ToLower(name)] || len(name) <= 2 && strings.Trim(name, "0123456789") == "" {
		return r.keep(name)
	}
	if r.names[name] == "" {
		r.names[name] = "x-member-" + strconv.Itoa(len(r.names)+1)
	}
	return r.names[name]
}

// value returns a text of a member; link says that it is within links.
func (r *replacer) value(member, text string, link bool) string {
	member = strings.ToLower(member)
	switch {
	case plaintext.IsFiller(text), placeholders[strings.ToLower(strings.TrimSpace(text))], isOneSign(text):
		return r.keep(text)
	case link || linkMembers[member]:
		return r.link(text)
	case amountMembers[member] && isAmount(text):
		return r.amount(text)
	case enumMembers[member] && isEnum(member, text):
		return r.keep(text)
	case strings.HasSuffix(member, "pan"):
		head := len(text) - len(strings.TrimLeft(text, "0123456789"))
		if head = min(head, issuerDigits); len(text) > issuerDigits+4 { // a full number and its masked form keep the same
			return r.keep(text[:head]) + r.text(member, text[head:])
		}
	}
	return r.text(member, text)
}

// issuerDigits are those of a card number that name its bank.
const issuerDigits = 6

func isOneSign(s string) bool {
	return len(s) >= 4 && strings.Count(s, s[:1]) == len(s)
}

func isEnum(member, text string) bool {
	if strings.Contains(member, "currency") {
		return money.IsCurrency(strings.ToUpper(strings.TrimSpace(text)))
	}
	if member == "code" && codes[strings.ToLower(text)] {
		return true
	}
	for _, word := range strings.FieldsFunc(text, func(c rune) bool { return !unicode.IsLetter(c) && !unicode.IsDigit(c) }) {
		if !enums[strings.ToLower(word)] {
			return false
		}
	}
	return true
}

var amountRE = regexp.MustCompile(`^\s*([A-Za-z]{2,3})?\s*[-+\x{2212}]?\s*[0-9][0-9 \x{a0}.,']*[-+]?\s*([A-Za-z]{2,3})?\.?\s*$`)

// isAmount reports whether a text is a number, with a unit that is known.
func isAmount(text string) bool {
	m := amountRE.FindStringSubmatch(text)
	known := func(unit string) bool {
		return unit == "" || units[strings.ToLower(unit)] || money.IsCurrency(strings.ToUpper(unit))
	}
	return m != nil && known(m[1]) && known(m[2])
}

// parts finds what is replaced as a whole: entities, dates, numbers of accounts and persons,
// digits, and words.
var parts = regexp.MustCompile(`&#?[0-9A-Za-z]{1,10};|` +
	`(?:19|20|21)[0-9]{2}[-/.][0-9]{2}[-/.][0-9]{2}(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)?(?:Z|[+-][0-9]{2}:?[0-9]{0,2})?)?|` +
	`[0-9]{1,2}[-/.][0-9]{1,2}[-/.](?:19|20)[0-9]{2}|` +
	`[A-Za-z]{2}[0-9]{2}(?: ?[A-Z0-9]){11,30}|[0-9]{6,8}[-+][0-9]{4}|[0-9]+|\p{L}+`)

func (r *replacer) text(member, text string) string {
	if plain := html.UnescapeString(text); plain != text && nameMembers[member] {
		if stem, _ := listing.Stem(strings.ReplaceAll(plain, " ", "")); stem != "" {
			text = plain // an entity in the word for the kind of account: what it says counts more
		}
	}
	return parts.ReplaceAllStringFunc(text, func(part string) string {
		switch {
		case part[0] == '&':
			return part
		case strings.ContainsAny(part, "-/.") && part[0] >= '0' && part[0] <= '9':
			return r.dated(part)
		case part[0] >= '0' && part[0] <= '9':
			return r.number(member, part)
		case len(part) > 4 && part[2] >= '0' && part[2] <= '9':
			return r.iban(part)
		}
		return r.letters(member, part)
	})
}

// letters replaces a word. The stems of words for kinds of account stay in names.
func (r *replacer) letters(member, word string) string {
	if nameMembers[member] {
		if r.rules[strings.ToLower(word)] {
			return r.keep(word)
		}
		if stem, at := listing.Stem(word); stem != "" && len(strings.ToLower(word)) == len(word) {
			end := at + len(stem)
			return r.word(word[:at]) + r.keep(word[at:end]) + r.word(word[end:])
		}
	}
	return r.word(word)
}

// number replaces digits without separators.
func (r *replacer) number(member, digits string) string {
	date := strings.Contains(member, "date") || strings.Contains(member, "time")
	switch {
	case strings.Trim(digits, "0") == "":
		return digits
	case isPerson(digits):
		return testPerson[12-len(digits):]
	case date && len(digits) == 13:
		ms, _ := strconv.ParseInt(digits, 10, 64)
		return strconv.FormatInt(ms+int64(r.days)*86_400_000, 10)
	case date && (len(digits) == 8 || len(digits) == 14):
		if day, err := time.Parse("20060102", digits[:8]); err == nil && plausible(day) {
			return day.AddDate(0, 0, r.days).Format("20060102") + digits[8:]
		}
		return digits
	}
	return r.digits(digits)
}

func isPerson(digits string) bool {
	switch len(digits) {
	case 12:
		_, err := ident.ParsePersonalNumber12(digits)
		return err == nil
	case 10:
		for _, century := range []string{"19", "20"} {
			if _, err := ident.ParsePersonalNumber12(century + digits); err == nil {
				return true
			}
		}
	}
	return false
}

// dated moves a date, or replaces the digits of what only looks like one.
func (r *replacer) dated(text string) string {
	if n := strings.IndexAny(text, "-+"); n >= 6 && len(text) == n+5 {
		if plain := text[:n] + text[n+1:]; isPerson(plain) {
			return testPerson[12-len(plain):8] + text[n:n+1] + testPerson[8:]
		}
		return r.digits(text)
	}
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return r.moment(text, at)
	}
	separator := text[strings.IndexAny(text, "-/."):][:1]
	for _, layout := range []string{"2006" + separator + "01" + separator + "02", "02" + separator + "01" + separator + "2006", "2" + separator + "1" + separator + "2006"} {
		n := min(len(layout), len(text))
		day, err := time.Parse(layout, text[:n])
		if err != nil {
			continue
		}
		if !plausible(day) {
			return text
		}
		if separator != "." && layout[0] != '2' && layout[0] == '0' && day.Day() <= 12 { // it can be read as two days, and stays so
			return text
		}
		return day.AddDate(0, 0, r.days).Format(layout) + text[n:]
	}
	return text // such as 2026-02-31: it says no day
}

func plausible(day time.Time) bool { return day.Year() > 1971 && day.Year() < 2199 }

// moment moves a time by days, in Sweden: midnight stays midnight.
func (r *replacer) moment(text string, at time.Time) string {
	if !plausible(at) {
		return text
	}
	local := at.In(clock.Sweden())
	moved := time.Date(local.Year(), local.Month(), local.Day()+r.days, local.Hour(), local.Minute(), local.Second(), local.Nanosecond(), clock.Sweden())
	layout := "2006-01-02T15:04:05Z07:00"
	if i := strings.IndexByte(text, '.'); i > 0 {
		n := len(text[i+1:]) - len(strings.TrimLeft(text[i+1:], "0123456789"))
		layout = "2006-01-02T15:04:05." + strings.Repeat("0", n) + "Z07:00"
	}
	if strings.HasSuffix(text, "Z") {
		return moved.UTC().Format(layout)
	}
	_, offset := at.Zone()
	if _, swedish := local.Zone(); offset == swedish {
		return moved.Format(layout)
	}
	return moved.In(at.Location()).Format(layout)
}

// iban replaces an IBAN: the country stays, and in Sweden the bank. Its check digits are
// right if they were.
func (r *replacer) iban(text string) string {
	compact := strings.ToUpper(strings.ReplaceAll(text, " ", ""))
	if !ident.HasIBANForm(compact) {
		return parts.ReplaceAllStringFunc(text[:2], r.word) + r.mixed(text[2:])
	}
	_, err := ident.ParseIBAN(compact)
	keep := 4
	if compact[:2] == "SE" {
		keep = 7
	}
	number := compact[4:keep] + r.mixed(compact[keep:])
	check := 98 - mod97(number+compact[:2]+"00")
	if err != nil {
		check = check%97 + 1
		if check < 2 {
			check = 3
		}
	}
	return grouped(text, compact[:2]+fmt.Sprintf("%02d", check)+number)
}

// mixed replaces letters and digits without a meaning of their own.
func (r *replacer) mixed(text string) string {
	digits := r.digits(text)
	return lettersRE.ReplaceAllStringFunc(digits, r.word)
}

var (
	lettersRE = regexp.MustCompile(`\p{L}+`)
	runs      = regexp.MustCompile(`[0-9]+|\p{L}+`)
)

// grouped writes a number with the spaces of another.
func grouped(like, number string) string {
	var out []byte
	for i, n := 0, 0; i < len(like); i++ {
		if like[i] == ' ' {
			out = append(out, ' ')
			continue
		}
		out = append(out, number[n])
		n++
	}
	return string(out)
}

func mod97(text string) int {
	n := 0
	for _, c := range text {
		if c >= 'A' {
			n = (n*100 + int(c-'A') + 10) % 97
		} else {
			n = (n*10 + int(c-'0')) % 97
		}
	}
	return n
}

// link replaces what an address has of a person. The bank's own base URL becomes that of
// the scripted bank.
func (r *replacer) link(text string) string {
	at := strings.TrimSpace(text)
	head, rest := "", at
	i := strings.Index(at, "://")
	scheme := "https:"
	if strings.HasPrefix(at, "//") {
		i, scheme = -1, ""
	}
	if i > 0 || scheme == "" {
		host, path, _ := strings.Cut(at[i+3:], "/")
		if head, rest = scheme+"//bank.example", "/"+path; host == r.host {
			head = scheme + "//{host}"
		}
	}
	path, query, asks := strings.Cut(rest, "?")
	if inner, own := strings.CutPrefix(path, r.base+"/"); own && r.base != "" && (head == "" || strings.Contains(head, "{host}")) {
		head, path = head+"/psd2", "/"+inner
	}
	list := strings.Split(path, "/")
	for i, segment := range list {
		list[i] = r.segment(segment, segments)
	}
	out := head + strings.Join(list, "/")
	if asks {
		out += "?" + r.query(query)
	}
	return strings.Replace(text, at, out, 1)
}

func (r *replacer) query(query string) string {
	all := strings.Split(query, "&")
	for i, parameter := range all {
		name, value, has := strings.Cut(parameter, "=")
		all[i] = r.segment(name, parameters)
		if has {
			all[i] += "=" + r.segment(value, enums)
		}
	}
	return strings.Join(all, "&")
}

// segment replaces a part of an address, which is escaped.
func (r *replacer) segment(escaped string, known map[string]bool) string {
	plain, err := url.PathUnescape(escaped)
	if err != nil {
		plain = escaped
	}
	if known[strings.ToLower(plain)] || r.rules[strings.ToLower(plain)] {
		return r.keep(escaped)
	}
	to := r.text("", plain)
	if len(plain) <= 3 && strings.Trim(plain, "0123456789") == "" {
		to = plain // the number of a page
	}
	if plain == escaped {
		return to
	}
	return url.PathEscape(to)
}
