package enablebanking

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"samla/internal/durable"
	"samla/internal/institution/loose"
)

// Entry is one bank of the gateway's directory, as it is kept. Name and Country name it at
// the gateway, ID names it here.
type Entry struct {
	ID              string   `json:"id"`
	Name            string   `json:"name"`
	Country         string   `json:"country"`
	PSUTypes        []string `json:"psuTypes,omitempty"`
	Methods         []Method `json:"methods,omitempty"`
	Validity        int      `json:"validitySeconds"` // the most that a session can last
	Beta            bool     `json:"beta,omitempty"`
	BIC             string   `json:"bic,omitempty"`
	RequiredHeaders []string `json:"requiredHeaders,omitempty"`
	Group           string   `json:"group,omitempty"`
	// Gone is when the directory had the bank no more; zero: it has it. The bank stays for
	// the consents that began before.
	Gone time.Time `json:"gone,omitzero"`
}

// Method is a way in which the person can sign at a bank.
type Method struct {
	Name        string       `json:"name"`
	PSUType     string       `json:"psuType"`
	Approach    string       `json:"approach"`
	Hidden      bool         `json:"hidden,omitempty"`
	Credentials []Credential `json:"credentials,omitempty"`
}

// Credential is something that a method asks the person for.
type Credential struct {
	Name     string `json:"name"`
	Required bool   `json:"required,omitempty"`
	Template string `json:"template,omitempty"` // an expression
}

// Directory is the list of banks as it is kept on disk.
type Directory struct {
	FetchedAt time.Time `json:"fetchedAt"`
	Banks     []Entry   `json:"banks"`
}

// wireBank is a bank in the answer of the gateway.
type wireBank struct {
	Name            loose.Text                `json:"name"`
	Country         loose.Text                `json:"country"`
	PSUTypes        loose.List[loose.Text]    `json:"psu_types"`
	Methods         loose.List[wireMethod]    `json:"auth_methods"`
	Validity        json.Number               `json:"maximum_consent_validity"`
	Beta            bool                      `json:"beta"`
	BIC             loose.Text                `json:"bic"`
	RequiredHeaders loose.List[loose.Text]    `json:"required_psu_headers"`
	Group           struct{ Name loose.Text } `json:"group"`
}

type wireMethod struct {
	Name        loose.Text `json:"name"`
	PSUType     loose.Text `json:"psu_type"`
	Approach    loose.Text `json:"approach"`
	Hidden      bool       `json:"hidden_method"`
	Credentials loose.List[struct {
		Name     loose.Text `json:"name"`
		Required bool       `json:"required"`
		Template loose.Text `json:"template"`
	}] `json:"credentials"`
}

// maxBanks is more than the gateway has in all countries together.
const maxBanks = 20_000

// readDirectory decodes an answer of the gateway. Entries without a name, a country or a
// validity are left out. Errors: *institution.Error.
func readDirectory(body []byte) ([]Entry, error) {
	var answer struct {
		Banks loose.List[wireBank] `json:"aspsps"`
	}
	if err := loose.Decode(body, &answer); err != nil {
		return nil, err
	}
	if answer.Banks == nil {
		return nil, malformed("aspsps must be a list")
	}
	var list []Entry
	for _, b := range answer.Banks[:min(len(answer.Banks), maxBanks)] {
		e := Entry{Name: b.Name.Clean(), Country: strings.ToUpper(b.Country.Clean()), Beta: b.Beta, BIC: b.BIC.Compact(), Group: b.Group.Name.Clean()}
		validity, err := b.Validity.Int64()
		if e.Name == "" || !countryRE.MatchString(e.Country) || err != nil || validity <= 0 || validity > 10*365*24*3600 {
			continue
		}
		e.Validity = int(validity)
		for _, t := range b.PSUTypes {
			e.PSUTypes = append(e.PSUTypes, t.Clean())
		}
		for _, h := range b.RequiredHeaders {
			if name := h.Clean(); name != "" {
				e.RequiredHeaders = append(e.RequiredHeaders, name)
			}
		}
		for _, m := range b.Methods {
			method := Method{Name: m.Name.Clean(), PSUType: m.PSUType.Clean(), Approach: m.Approach.Clean(), Hidden: m.Hidden}
			for _, c := range m.Credentials {
				method.Credentials = append(method.Credentials, Credential{c.Name.Clean(), c.Required, string(c.Template)})
			}
			e.Methods = append(e.Methods, method)
		}
		list = append(list, e)
	}
	return list, nil
}

// wants reports whether the configuration opens a bank.
func (c Config) wants(e Entry) bool {
	return slices.Contains(c.Countries, e.Country) && (len(e.PSUTypes) == 0 || slices.Contains(e.PSUTypes, c.PSUType)) &&
		(len(c.Banks)+len(c.Groups) == 0 || slices.Contains(c.Banks, e.Name) || e.Group != "" && slices.Contains(c.Groups, e.Group)) && !slices.Contains(c.Without, e.Name) && !(c.NoBeta && e.Beta)
}

// goneFor is how long a bank stays in the list that the directory has no more: longer than
// any session lasts.
const goneFor = 400 * 24 * time.Hour

// Renewed returns the list after the gateway gave another one. A bank keeps its id as long
// as it is in the list; a new one gets an id that no other bank has. Banks that the gateway
// gives no more are Gone.
func (d Directory) Renewed(list []Entry, now time.Time, idPart string) Directory {
	key := func(e Entry) string { return e.Country + "\x00" + e.Name }
	next := Directory{FetchedAt: now}
	known, taken, there := map[string]Entry{}, map[string]bool{}, map[string]bool{}
	for _, e := range d.Banks {
		known[key(e)], taken[e.ID] = e, true
	}
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b Entry) int { return cmp.Compare(key(a), key(b)) })
	for _, e := range list {
		if there[key(e)] {
			continue
		}
		there[key(e)] = true
		if e.ID = known[key(e)].ID; e.ID == "" {
			e.ID = newID(e, idPart, taken)
			taken[e.ID] = true
		}
		next.Banks = append(next.Banks, e)
	}
	for _, e := range d.Banks {
		if there[key(e)] {
			continue
		}
		if e.Gone.IsZero() {
			e.Gone = now
		}
		if now.Sub(e.Gone) < goneFor {
			next.Banks = append(next.Banks, e)
		}
	}
	slices.SortFunc(next.Banks, func(a, b Entry) int { return cmp.Compare(a.ID, b.ID) })
	return next
}

// newID returns the id of a bank: its country and its name, such as "se-eb-nordea". If
// another bank has that already, or nothing of the name can be written in it, a hash of
// the name follows.
func newID(e Entry, idPart string, taken map[string]bool) string {
	id := strings.ToLower(e.Country) + "-" + idPart
	name := slug(e.Name)
	if name != "" {
		id += "-" + name
	}
	if name != "" && !taken[id] {
		return id
	}
	sum := sha256.Sum256([]byte(e.Country + "/" + e.Name))
	return id + "-" + hex.EncodeToString(sum[:4])
}

// letters are the letters that are written as others in an id.
var letters = strings.NewReplacer(
	"å", "a", "ä", "a", "ö", "o", "ø", "o", "æ", "ae", "ü", "u", "é", "e", "è", "e", "ê", "e", "á", "a", "à", "a", "â", "a", "ã", "a", "í", "i", "ì", "i",
	"ó", "o", "ò", "o", "ô", "o", "õ", "o", "ú", "u", "ù", "u", "ñ", "n", "ç", "c", "ß", "ss", "ð", "d", "þ", "th", "ý", "y", "č", "c", "ć", "c", "š", "s",
	"ž", "z", "ź", "z", "ż", "z", "ł", "l", "ń", "n", "ś", "s", "ą", "a", "ę", "e", "ě", "e", "ř", "r", "ů", "u", "ť", "t", "ď", "d", "ň", "n", "ľ", "l",
	"ő", "o", "ű", "u", "ă", "a", "ș", "s", "ț", "t", "ş", "s", "ţ", "t", "ā", "a", "ē", "e", "ī", "i", "ū", "u", "ģ", "g", "ķ", "k", "ļ", "l", "ņ", "n",
	"ė", "e", "į", "i", "ų", "u", "đ", "d", "&", " ", "'", "", "’", "",
)

// slug returns a name in small ASCII letters and digits, with single hyphens between them.
func slug(name string) string {
	var words []string
	for _, word := range strings.FieldsFunc(letters.Replace(strings.ToLower(name)), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r)
	}) {
		word = strings.Map(func(r rune) rune {
			if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
				return r
			}
			return -1
		}, word)
		if word != "" {
			words = append(words, word)
		}
	}
	return strings.Join(words, "-")
}

const maxDirectory = 32 << 20

// LoadDirectory reads the list that was kept last. Errors: those of the file system, and
// of a file that is no list.
func LoadDirectory(path string) (Directory, error) {
	data, err := durable.Read(path, maxDirectory)
	if err != nil {
		return Directory{}, err
	}
	var d Directory
	if err := json.Unmarshal(data, &d); err != nil {
		return Directory{}, fmt.Errorf("is no list of banks: %w", err)
	}
	return d, nil
}

// Save keeps the list, in place of the one before.
func (d Directory) Save(path string) error {
	text, err := json.MarshalIndent(d, "", " ")
	if err != nil {
		return fmt.Errorf("enablebanking: list of banks: %w", err)
	}
	return durable.Replace(path, append(text, '\n'))
}

// methodFor returns the method at a bank that a personal number can be given to, and the
// credential that takes it: the only credential of a method that is offered to everybody.
func (e Entry) methodFor(psuType, number string) (method, credential, value string, ok bool) {
	for _, m := range e.Methods {
		if m.PSUType != psuType || m.Hidden || m.Name == "" || len(m.Credentials) != 1 {
			continue
		}
		c := m.Credentials[0]
		template, err := regexp.Compile(c.Template)
		if err != nil || c.Template == "" || len(c.Template) > maxTemplate {
			continue
		}
		for _, form := range []string{number, number[2:]} { // twelve digits, or ten
			if template.FindString(form) == form {
				return m.Name, c.Name, form, true
			}
		}
	}
	return "", "", "", false
}

// maxTemplate is longer than expressions of personal numbers are.
const maxTemplate = 200
