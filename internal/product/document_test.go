package product

import (
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// table is a table of docs/reference/products.md: its rows of cells, the header first.
type table struct {
	section string
	rows    [][]string
}

// tablesOf returns the tables of the document.
func tablesOf(t *testing.T) (all []table) {
	t.Helper()
	text, err := os.ReadFile("../../docs/reference/products.md")
	if err != nil {
		t.Fatal(err)
	}
	section, open := "", false
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "#"):
			section, open = strings.Trim(line, "# "), false
		case !strings.HasPrefix(line, "|"):
			open = false
		case strings.HasPrefix(line, "| ---"):
		default:
			if !open {
				all, open = append(all, table{section: section}), true
			}
			cells := strings.Split(strings.ReplaceAll(strings.Trim(line, "|"), `\|`, "/"), "|")
			for i := range cells {
				cells[i] = strings.TrimSpace(cells[i])
			}
			last := &all[len(all)-1]
			last.rows = append(last.rows, cells)
		}
	}
	return all
}

var quoted = regexp.MustCompile("`([A-Za-z0-9_]+)`")

// quotedIn returns the words in backticks of a cell.
func quotedIn(cell string) (words []string) {
	for _, m := range quoted.FindAllStringSubmatch(cell, -1) {
		words = append(words, m[1])
	}
	return words
}

// columns are the variants of the columns of tables in which an x says that the variant
// has the member.
var columns = map[string]map[string][]string{
	"7. Loans": {"mortgage": {"MORTGAGE_LOAN"}, "unsecured": {"UNSECURED_LOAN"}},
	"8. Pensions": {"C": {"COLLECTIVE_OCCUPATIONAL_PENSION"}, "U": {"UNKNOWN_PENSION_TYPE"}, "O": {"OCCUPATIONAL_PENSION"},
		"P": {"PRIVATE_PENSION", "IPS_PENSION"}},
}

// The members that the document lists are those of the structs, and in a table with
// columns for several types each type has those with an x.
func TestShapes_AreTheDocumentedMembers(t *testing.T) {
	listed := map[string][]string{}
	add := func(object, cell string) {
		for _, name := range quotedIn(cell) {
			if !slices.Contains(listed[object], name) {
				listed[object] = append(listed[object], name)
			}
		}
	}
	for _, table := range tablesOf(t) {
		header, object := table.rows[0], ""
		for _, row := range table.rows[1:] {
			if len(row) != len(header) {
				t.Fatalf("%s: a row of %d cells: %v", table.section, len(row), row)
			}
			switch {
			case header[0] == "object" && header[1] == "field":
				if row[0] != "" {
					object, _, _ = strings.Cut(strings.TrimLeft(row[0], "*"), "*")
				}
				add(object, row[1])
			case header[0] == "field":
				variants := 0
				for i, column := range header[1:] {
					of := columns[table.section][column]
					if table.section == "5. Investments" || table.section == "Transaction" {
						of = quotedIn(column)
					}
					for _, variant := range of {
						if variants++; row[i+1] == "x" || row[i+1] == "optional" {
							add(variant, row[0])
						}
					}
				}
				if variants == 0 {
					add(table.section, row[0])
				}
			}
		}
	}
	compare := func(at string, of reflect.Type, variant string, want []string) {
		var got []string
		s := shapeOf(of)
		for i := range s.members {
			if m := &s.members[i]; m.has(variant) {
				got = append(got, m.name)
			}
		}
		slices.Sort(got)
		want = slices.Sorted(slices.Values(want))
		if !slices.Equal(got, want) {
			t.Errorf("%s: the struct has %v, the document %v", at, got, want)
		}
	}
	for kind, construct := range constructors {
		of, section := reflect.TypeOf(construct()).Elem(), string(kind)
		switch {
		case strings.HasPrefix(section, "PSD2_"):
			section = "4. PSD2 accounts"
		case strings.HasPrefix(section, "GENERAL_SAVINGS"):
			section = "6. Savings accounts" // the table has one list; see the meaning of bindingPeriod
		case kind == PublicPensionType:
			section = "8.5 PublicPension"
		}
		want := listed[section]
		if kind == GeneralSavingsAccount {
			want = slices.DeleteFunc(slices.Clone(want), func(name string) bool { return name == "bindingPeriod" })
		}
		compare(string(kind), of, string(kind), want)
	}
	for _, variant := range transactionTypes {
		compare(variant, reflect.TypeFor[Transaction](), variant, append(listed[variant], "type"))
	}
	for _, variant := range payoutPeriodTypes {
		name := map[string]string{"AGE_RANGE": "AgePeriod", "DATE_RANGE": "DatePeriod"}[variant]
		compare(name, reflect.TypeFor[PayoutPeriod](), variant, append(listed[name], "type"))
	}
	for name, of := range map[string]reflect.Type{
		"Psd2Transaction": reflect.TypeFor[Psd2Transaction](), "AccountInformation": reflect.TypeFor[AccountInformation](),
		"ProductFinancialInformation": reflect.TypeFor[FinancialInformation](), "Wealth.Holding (25)": reflect.TypeFor[Holding](),
		"GeneralSavingsInterest": reflect.TypeFor[SavingsInterest](), "InterestConditionRanges": reflect.TypeFor[InterestConditionRange](),
		"Deposit": reflect.TypeFor[Deposit](), "BindingPeriod": reflect.TypeFor[BindingPeriod](), "TimePeriod": reflect.TypeFor[TimePeriod](),
		"Interest": reflect.TypeFor[LoanInterest](), "LoanDetails": reflect.TypeFor[LoanDetails](), "NextPayment": reflect.TypeFor[NextPayment](),
		"LoanOwner": reflect.TypeFor[LoanOwner](), "RepaymentSchedule": reflect.TypeFor[RepaymentSchedule](),
		"Fees": reflect.TypeFor[Fees](), "PersonalizedFees": reflect.TypeFor[PersonalizedFees](), "GenericFees": reflect.TypeFor[GenericFees](),
		"PayoutDetails": reflect.TypeFor[PayoutDetails](),
	} {
		compare(name, of, string(MortgageLoan), listed[name])
	}
}
