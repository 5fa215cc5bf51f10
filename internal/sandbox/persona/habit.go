package persona

import "time"

// Habit is what a person does in every login, without anybody who acts for them on the
// phone or on the bank's page. Persons with a habit are customers with one small account.
type Habit struct {
	Number string
	Shows  string // one sentence for the documentation
	// Opens and Acts are how long after the start of a BankID order the phone opens it and
	// does what Does says; 0: never.
	Opens, Acts time.Duration
	Does        PhoneHabit
	SignsAs     string // who approves in BankID; empty: the person
	Failure     string // BankID's hint code with which approvals of the person fail; empty: they succeed
	Page        PageHabit
}

// PhoneHabit is what the phone does with a BankID order.
type PhoneHabit string

// The habits on the phone.
const (
	PhoneApproves PhoneHabit = "approve"
	PhoneCancels  PhoneHabit = "cancel"
)

// PageHabit is what happens on a bank's page, once the person is logged in.
type PageHabit string

// The habits on a page.
const (
	PageApproves    PageHabit = "approves"    // all accounts
	PageRefuses     PageHabit = "refuses"     // shares nothing
	PageNotEligible PageHabit = "notEligible" // the bank does not know its customer well enough (KYC)
	PageFails       PageHabit = "fails"       // the bank has a technical error
	PageLeaves      PageHabit = "leaves"      // approves, and closes the browser before it goes back
)

const (
	opensAfter = time.Second
	actsAfter  = 2 * time.Second
)

// habits are test numbers of Skatteverket that are no personas.
var habits = []Habit{
	{Number: "189001019802", Shows: "approves in BankID and on the page", Opens: opensAfter, Acts: actsAfter, Does: PhoneApproves, Page: PageApproves},
	{Number: "189001029819", Shows: "cancels in BankID", Opens: opensAfter, Acts: actsAfter, Does: PhoneCancels},
	{Number: "189001039800", Shows: "opens BankID and never signs", Opens: opensAfter},
	{Number: "189001049809", Shows: "never opens BankID"},
	{Number: "189001059808", Shows: "has a blocked BankID", Opens: opensAfter, Acts: actsAfter, Does: PhoneApproves, Failure: "certificateErr"},
	{Number: "189001069815", Shows: "approves in BankID and refuses on the page", Opens: opensAfter, Acts: actsAfter, Does: PhoneApproves, Page: PageRefuses},
	{Number: "189001079806", Shows: "must first answer the bank's questions about its customers (KYC)", Opens: opensAfter, Acts: actsAfter, Does: PhoneApproves, Page: PageNotEligible},
	{Number: "189001089813", Shows: "meets a technical error of the bank", Opens: opensAfter, Acts: actsAfter, Does: PhoneApproves, Page: PageFails},
	{Number: "189001099812", Shows: "approves on the page and closes the browser", Opens: opensAfter, Acts: actsAfter, Does: PhoneApproves, Page: PageLeaves},
	{Number: "189001109801", Shows: "lets Maja Lindqvist sign", Opens: opensAfter, Acts: actsAfter, Does: PhoneApproves, SignsAs: Default, Page: PageApproves},
}

var habitByNumber = func() map[string]Habit {
	m := map[string]Habit{}
	for _, h := range habits {
		m[h.Number] = h
	}
	return m
}()

// Habits returns the persons with habits, in the order of docs/sandbox.md.
func Habits() []Habit { return habits }

// HabitOf returns the habit of the person with this number, and reports whether there is
// one.
func HabitOf(number string) (Habit, bool) {
	h, ok := habitByNumber[number]
	return h, ok
}
