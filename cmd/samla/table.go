package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"samla/internal/plaintext"
)

// column is a column of a table.
type column struct {
	head  string
	right bool // numbers are aligned at their end
	most  int  // columns of a cell; longer ones end with …; 0 = no limit
	least int  // columns that it takes at least, also without any text
	rest  bool // gets what the other columns leave of lineWidth, if that is more than most
}

// lineWidth is the width of a table with a column that gets the rest, if the others leave
// it enough.
const lineWidth = 100

// table is text in aligned columns, for terminals. Columns without any text are left
// out, and so is the line of the heads if there is none.
type table struct {
	columns []column
	rows    [][]string // a cell for each column
	feet    [][]string // as rows, below a line
}

// headed returns a table whose columns are shown also without any text.
func headed(heads ...string) *table {
	t := &table{}
	for _, head := range heads {
		t.columns = append(t.columns, column{head: head, least: plaintext.Width(head)})
	}
	return t
}

// add adds a row.
func (t *table) add(cells ...string) { t.rows = append(t.rows, cells) }

// columnGap is the space between two columns.
const columnGap = "  "

// print writes the table.
func (t *table) print(out io.Writer) error {
	t.columns = append([]column{}, t.columns...) // fit changes them
	t.fit()
	widths := t.widths()
	var b strings.Builder
	heads := make([]string, len(t.columns))
	for i, c := range t.columns {
		heads[i] = c.head
	}
	if slices.ContainsFunc(heads, func(head string) bool { return head != "" }) {
		t.line(&b, widths, heads)
	}
	for _, row := range t.rows {
		t.line(&b, widths, row)
	}
	if len(t.feet) > 0 {
		rule := make([]string, len(t.columns))
		for i, width := range widths {
			rule[i] = strings.Repeat("─", width)
		}
		t.line(&b, widths, rule)
	}
	for _, foot := range t.feet {
		t.line(&b, widths, foot)
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// fit gives the columns with rest what the others leave.
func (t *table) fit() {
	others := 0
	for i, width := range t.widths() {
		if width > 0 && !t.columns[i].rest {
			others += len(columnGap) + width
		}
	}
	for i := range t.columns {
		if c := &t.columns[i]; c.rest {
			c.most = max(c.most, lineWidth-others)
		}
	}
}

// widths returns the width of each column; 0 for one that is left out.
func (t *table) widths() []int {
	widths := make([]int, len(t.columns))
	for _, rows := range [][][]string{t.rows, t.feet} {
		for _, row := range rows {
			for i, cell := range row {
				widths[i] = max(widths[i], plaintext.Width(t.columns[i].cut(cell)))
			}
		}
	}
	for i, c := range t.columns {
		if widths[i] > 0 {
			widths[i] = max(widths[i], plaintext.Width(c.head))
		}
		widths[i] = max(widths[i], c.least)
	}
	return widths
}

// align gives the columns of tables that stand below each other the same widths. They have
// the same columns.
func align(tables []*table) {
	var most []int
	for _, t := range tables {
		for i, width := range t.widths() {
			if i == len(most) {
				most = append(most, 0)
			}
			most[i] = max(most[i], width)
		}
	}
	for _, t := range tables {
		for i := range t.columns {
			t.columns[i].least = most[i]
		}
	}
}

func (t *table) line(b *strings.Builder, widths []int, cells []string) {
	var line strings.Builder
	for i, c := range t.columns {
		if widths[i] == 0 {
			continue
		}
		if line.Len() > 0 {
			line.WriteString(columnGap)
		}
		cell := c.cut(cells[i])
		space := strings.Repeat(" ", max(0, widths[i]-plaintext.Width(cell)))
		if c.right {
			line.WriteString(space + cell)
		} else {
			line.WriteString(cell + space)
		}
	}
	fmt.Fprintln(b, strings.TrimRight(line.String(), " "))
}

// cut returns a cell that fits into the column and cannot control the terminal: texts come
// from institutions.
func (c column) cut(cell string) string { return plaintext.Fit(cell, c.most) }
