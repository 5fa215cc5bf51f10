package v20250101

import (
	"slices"

	"samla/internal/product"
)

// The products of this version are a view of those of 2026-04-01, which are stored
// (docs/reference/products.md 10.3). The view copies values as they are written: no
// amount is read, and no member is lost but those that this version has not.

// dataTypes are the types of the data route.
var dataTypes = []product.Type{
	product.KF, product.ISK, product.CustodyAccount, product.UnknownInvestment,
	product.IPSPension, product.PrivatePension, product.OccupationalPension, product.CollectiveOccupationalPension, product.UnknownPension,
	product.MortgageLoan, product.UnsecuredLoan, product.GeneralSavingsAccount, product.GeneralSavingsAccountFixedTerm,
}

// pensionTypes is the type of the route of the public pension.
var pensionTypes = []product.Type{product.PublicPensionType}

// olderProducts returns the products of some types, of a stored array in the form
// product.Form, as an array of this version. An error means that the text is no such
// array; it quotes nothing of it.
func olderProducts(stored []byte, types []product.Type) ([]byte, error) {
	v := view{scanner: scanner{text: stored}, types: types, out: make([]byte, 0, min(len(stored), 64<<10)+2)}
	v.out = append(v.out, '[')
	err := v.elements(func() error {
		mark := len(v.out)
		if mark > 1 {
			v.out = append(v.out, ',')
		}
		kept, err := v.product()
		if !kept {
			v.out = v.out[:mark]
		}
		return err
	})
	if err == nil && !v.atEnd() {
		err = errForm
	}
	return append(v.out, ']'), err
}

// view copies a text in the older form.
type view struct {
	scanner
	types []product.Type
	out   []byte
}

// product copies the next value, a product, and reports whether its type is one of the
// types. It reads no more than the type of a product that it leaves out.
func (v *view) product() (kept bool, err error) {
	start := v.pos
	err = v.object(func(key []byte) error {
		switch string(key) {
		case "type":
			value, err := v.value()
			if kept = v.wants(value); err == nil && !kept {
				return errLeftOut
			}
			v.member(key, value)
			return err
		case "personalInformation":
			return v.rewritten(key, v.person)
		case "fees":
			return v.rewritten(key, v.fees)
		}
		return v.copied(key)
	})
	if err == errLeftOut {
		v.pos = start
		_, err = v.value()
	}
	return kept, err
}

// wants reports whether a JSON text is one of the types.
func (v *view) wants(value []byte) bool {
	return len(value) > 2 && slices.Contains(v.types, product.Type(value[1:len(value)-1]))
}

// member appends a member of an object, and the brace or comma before it.
func (v *view) member(key, value []byte) {
	v.begin(key)
	v.out = append(v.out, value...)
}

// begin appends what stands before the value of a member.
func (v *view) begin(key []byte) {
	if last := v.out[len(v.out)-1]; last != '{' {
		v.out = append(v.out, ',')
	}
	v.out = append(append(append(v.out, '"'), key...), `":`...)
}

// copied copies a member whose key is read.
func (v *view) copied(key []byte) error {
	value, err := v.value()
	if err == nil {
		v.member(key, value)
	}
	return err
}

// rewritten writes a member whose value is an object with write, and copies any other
// value, such as null.
func (v *view) rewritten(key []byte, write func() error) error {
	if v.peek() != '{' {
		return v.copied(key)
	}
	v.begin(key)
	return write()
}

// object reads an object and writes one, with the members that each writes. each gets a
// key without its quotes and reads the value.
func (v *view) object(each func(key []byte) error) error {
	v.out = append(v.out, '{')
	err := v.members(each)
	v.out = append(v.out, '}')
	return err
}

// person writes personalInformation as an untyped map: each key in upper case, with an
// underscore between its words, such as PERSONAL_NUMBER.
func (v *view) person() error {
	return v.object(func(key []byte) error {
		if !isWord(key) {
			return v.skip() // two keys must not become one
		}
		return v.copied(upperSnake(key))
	})
}

// isWord reports whether a key has letters and digits of ASCII only.
func isWord(key []byte) bool {
	return !slices.ContainsFunc(key, func(c byte) bool {
		return (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9')
	})
}

func upperSnake(camel []byte) []byte {
	out := make([]byte, 0, len(camel)+2)
	for _, c := range camel {
		if 'A' <= c && c <= 'Z' {
			out = append(out, '_')
		}
		if 'a' <= c && c <= 'z' {
			c -= 'a' - 'A'
		}
		out = append(out, c)
	}
	return out
}

// Keys of the older form of fees.
var (
	feesCollected = []byte("feesCollected")
	olderFees     = map[string][]byte{"fixed": []byte("feeFixed"), "variable": []byte("feeVariable"), "previousYear": []byte("feesPreviousYear")}
	isTrue        = []byte("true")
	isFalse       = []byte("false")
)

// fees writes fees in the older form: its members, and whether they are the holder's own.
// The stored form has one of personalized and generic.
func (v *view) fees() error {
	return v.object(func(key []byte) error {
		own := isFalse
		switch string(key) {
		case "personalized":
			own = isTrue
		case "generic":
		default:
			return v.skip()
		}
		if v.peek() != '{' {
			return v.skip()
		}
		v.member(feesCollected, own)
		return v.members(func(key []byte) error {
			if older := olderFees[string(key)]; older != nil {
				return v.copied(older)
			}
			return v.skip()
		})
	})
}
