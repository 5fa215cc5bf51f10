package chain

import (
	"errors"
	"fmt"
	"io"
)

// verifyUser verifies the export of one user: each entry belongs to the log by its
// inclusion proof, follows the user's entry before it, and the signed head says how many
// there are.
func verifyUser(r *reader, first First, o Options) (Report, error) {
	head := first.Head.Head
	report := Report{Format: first.Format, Head: head, Begin: head.UserRemoved, Removed: head.UserRemoved > 0}
	if head.Purpose != OfUser || first.Begin != nil || head.UserRemoved > head.UserCount {
		return report, &Finding{Line: 1, Fault: Unsigned, Text: "the head states something else"}
	}
	var kept []Signed
	for _, k := range o.Kept {
		if k.Purpose != OfUser || k.User != head.User || k.UserCount <= head.UserRemoved {
			report.Older++
			continue
		}
		if k.UserCount > head.UserCount || k.Count > head.Count {
			return report, &Finding{Line: 1, Entry: head.UserCount + 1, Fault: CutEnd,
				Text: fmt.Sprintf("a head that was kept outside has %d entries of the user", k.UserCount)}
		}
		kept = append(kept, k)
	}
	count, last := head.UserRemoved, Hash{}
	for {
		text, err := r.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return report, err
		}
		want := count + 1
		l, err := readLine(text)
		if err != nil || l.row == nil {
			return report, &Finding{Line: r.n, Entry: want, Fault: Changed, Text: "the line is not in the form of an export"}
		}
		if err := checkOfUser(r, l.row, head, want, last); err != nil {
			return report, err
		}
		count, last = want, l.row.Stored
		for _, k := range kept {
			if k.UserCount != count {
				continue
			}
			if k.UserHash != last {
				return report, &Finding{Line: r.n, Entry: count, Fault: Changed, Text: "a head that was kept outside has another hash"}
			}
			report.Heads++
		}
		report.Entries++
	}
	switch {
	case count < head.UserCount:
		return report, &Finding{Line: r.n + 1, Entry: count + 1, Fault: CutEnd, Text: fmt.Sprintf("the signed head has %d entries of the user", head.UserCount)}
	case report.Entries > 0 && last != head.UserHash:
		return report, &Finding{Line: r.n, Entry: count, Fault: Changed, Text: "the signed head has another hash of the last entry"}
	}
	report.Heads++
	return report, nil
}

// checkOfUser checks the entry that must be the number want of the user.
func checkOfUser(r *reader, row *Row, head Head, want int64, last Hash) error {
	finding := func(entry int64, f Fault, text string) error {
		return &Finding{Line: r.n, Entry: entry, Fault: f, Text: text}
	}
	h := row.Hash()
	switch {
	case row.UserID != head.User:
		return finding(want, Foreign, "the entry is of another user")
	case h != row.Stored:
		return finding(want, Changed, "the entry does not have the hash that is with it")
	case row.UserSeq == want-1 && h == last:
		return finding(row.UserSeq, Duplicated, "the entry is there twice")
	case row.UserSeq < want:
		return finding(row.UserSeq, Inserted, fmt.Sprintf("the number was there before; entry %d is expected", want))
	case row.UserSeq > want:
		return missingOfUser(r, want)
	case want > head.UserCount:
		return finding(want, Inserted, "the entry is behind the signed end")
	case want > head.UserRemoved+1 && row.UserPrev != last:
		return finding(want-1, Changed, fmt.Sprintf("entry %d names another hash of the entry before it", want))
	}
	if root, ok := RootOf(h, row.Seq-1, head.Count, row.Proof); !ok || root != head.Root {
		return finding(want, Foreign, "the proof does not lead to the signed head: the entry is not in the log")
	}
	return nil
}

func missingOfUser(r *reader, want int64) error {
	at := r.n
	for {
		text, err := r.next()
		if err != nil {
			return &Finding{Line: at, Entry: want, Fault: Dropped, Text: "the entry is missing"}
		}
		if l, err := readLine(text); err == nil && l.row != nil && l.row.UserSeq == want {
			return &Finding{Line: at, Entry: want, Fault: Reordered, Text: fmt.Sprintf("the entry is in line %d, behind later ones", r.n)}
		}
	}
}
