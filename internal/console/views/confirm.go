package views

// confirm is a page that says what an act means, before it is carried out.
type confirm struct {
	Says   []string
	Facts  []fact
	Action string
	Label  string
	Kind   string // of the button
	Fields []field
	Choice choice // no name = none
}

// choice is a box to tick.
type choice struct{ Name, Text, Sub string }

// shownOnce is a page with a secret that is not shown again.
type shownOnce struct {
	What, Secret string
	After        string // what is said below it
	Back         link
}
