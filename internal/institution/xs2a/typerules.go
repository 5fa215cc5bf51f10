package xs2a

import (
	"fmt"
	"regexp"
	"slices"

	"samla/internal/fact"
	"samla/internal/strictjson"
)

// TypeRule decides what an account is, before anything else does. A rule fits an
// account if each of its expressions (RE2) is found in the member. The first rule that
// fits counts.
type TypeRule struct {
	Code    string `json:"code,omitzero"`    // in cashAccountType
	Product string `json:"product,omitzero"` // in product
	Name    string `json:"name,omitzero"`    // in name, the bank's name for the account
	// Is is checking, savings, card, mortgage, unsecured for a loan without security, or
	// none for an account that is left out: it is not read.
	Is string `json:"is"`
}

var classes = map[string]fact.Class{
	"checking": fact.ClassChecking, "savings": fact.ClassSavings, "card": fact.ClassCard, "none": fact.ClassNone,
	"mortgage": fact.ClassMortgage, "unsecured": fact.ClassUnsecured,
}

// typeRule is a TypeRule ready for use.
type typeRule struct {
	code, product, name *regexp.Regexp // nil = fits everything
	is                  fact.Class
}

func compileTypes(rules []TypeRule) []typeRule {
	compiled := make([]typeRule, len(rules))
	for i, r := range rules {
		c := &compiled[i]
		c.is = classes[r.Is]
		for _, e := range []struct {
			text string
			into **regexp.Regexp
		}{{r.Code, &c.code}, {r.Product, &c.product}, {r.Name, &c.name}} {
			if e.text != "" {
				*e.into, _ = regexp.Compile(e.text) // checked
			}
		}
	}
	return compiled
}

func checkTypes(rules []TypeRule) (faults strictjson.Faults) {
	for i, r := range rules {
		at := fmt.Sprintf("/%d", i)
		if _, known := classes[r.Is]; !known {
			faults.Add(at+"/is", `must be "checking", "savings", "card", "mortgage", "unsecured" or "none"`)
		}
		if r.Code == "" && r.Product == "" && r.Name == "" {
			faults.Add(at, "fits every account: give a code, a product or a name")
		}
		for _, e := range []struct{ name, text string }{{"code", r.Code}, {"product", r.Product}, {"name", r.Name}} {
			if _, err := regexp.Compile(e.text); err != nil || len(e.text) > maxExpression {
				faults.Add(at+"/"+e.name, notAnExpression)
			}
		}
	}
	return faults
}

// classOf returns what the rules say of an account.
func classOf(rules []typeRule, a fact.Account) fact.Class {
	i := slices.IndexFunc(rules, func(r typeRule) bool {
		return fits(r.code, a.Type) && fits(r.product, a.Product) && fits(r.name, a.Name)
	})
	if i < 0 {
		return fact.ClassUnsaid
	}
	return rules[i].is
}

func fits(r *regexp.Regexp, s string) bool { return r == nil || r.MatchString(s) }
