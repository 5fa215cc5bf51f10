package main

import (
	"context"
	"slices"
	"strings"

	"samla/internal/apiclient"
	"samla/internal/qr"
)

// collectByLogin collects from an institution that the person logs in to: it shows what
// the status says, and hands over the answers. It returns the collection's id when the
// institution is being read, or when the login has ended otherwise.
func (w *demo) collectByLogin(ctx context.Context, token string, of choice) (id string, err error) {
	login := apiclient.Login{Company: of.company.ID, LoginMethod: of.method, PersonalNumber: of.person}
	if of.method == "EMAIL" {
		login.PersonalNumber, login.Email = "", of.email
	}
	s, err := w.client.StartLogin(ctx, token, login)
	if err != nil {
		return "", err
	}
	id = s.ID
	if !w.real {
		w.printf("POST /collections                 collection %s", id)
	}
	if w.began != nil {
		w.began(id)
	}
	d := &dialogue{demo: w, of: of, token: token, id: id, answered: map[string]bool{}}
	for !s.Finished() && s.Status != "COLLECTING" {
		if err := d.show(ctx, s); err != nil {
			return "", err
		}
		if s, err = d.next(ctx); err != nil {
			return "", err
		}
	}
	if s.Status == "COLLECTING" && !w.real {
		w.printf("GET  /collections/…/status        %s", s.Status)
	}
	return id, nil
}

// dialogue is one login.
type dialogue struct {
	*demo
	of        choice
	token, id string

	status   string // the last one that was printed
	hint     string // and the last hint
	code     string // the QR code that was drawn last
	link     string // the token of the link that was printed last
	signed   bool   // the phone has signed
	opened   bool   // the inbox was looked at
	answered map[string]bool
	form     *form // the question that the person is being asked
}

// show prints what is new in a status, and answers what it asks, if the answer is known.
func (d *dialogue) show(ctx context.Context, s apiclient.CollectionStatus) error {
	if s.Status != d.status {
		d.status = s.Status
		if !d.real {
			d.printf("GET  /collections/…/status        %s", s.Status)
		}
	}
	if err := d.showCode(ctx, s.Shown); err != nil {
		return err
	}
	if hint := hintOf(s); hint != "" && hint != d.hint {
		d.hint = hint
		d.printf("%s", hint)
	}
	if err := d.device(ctx, s.Shown); err != nil {
		return err
	}
	if s.Status != "WAITING_FOR_USER_ACTION" {
		d.opened = false
		return d.question(ctx, s)
	}
	if !d.opened {
		return d.open(ctx)
	}
	return d.unasked(ctx)
}

// device makes the request that the person's device must make, once.
func (d *dialogue) device(ctx context.Context, shown apiclient.Shown) error {
	in, older := shown.Device, false
	if in == nil {
		in, older = shown.OlderDevice, true
	}
	if in == nil || d.answered[in.Request.Etag+in.Request.URL] {
		return nil
	}
	d.answered[in.Request.Etag+in.Request.URL] = true
	d.printf("The person's device makes the request %s.", column{}.cut(in.Request.Method))
	answer, err := d.phone.Request(ctx, in.Request, older)
	if err != nil {
		return err
	}
	return d.hand(ctx, shown.QuestionID, answer)
}

// open does what the person does elsewhere: opens the link of the e-mail, approves in the
// app, or acts on the page. A person who watches can do it first.
func (d *dialogue) open(ctx context.Context) error {
	d.opened = true
	if d.real {
		return nil
	}
	items, err := d.phone.Inbox(ctx)
	i := slices.IndexFunc(items, func(item apiclient.InboxItem) bool { return item.Institution == d.of.company.ID })
	if err != nil || i < 0 {
		return err
	}
	d.form = &form{fields: []field{{label: "Open it there, or press Enter", answer: "here"}}, done: func() error {
		d.printf("The person does what the inbox asks for.")
		return d.phone.Open(ctx, items[i])
	}}
	d.printf("It waits in the sandbox's inbox, %s/sandbox/inbox", d.phone.Sandbox)
	if d.lines != nil {
		d.prompt()
	}
	return d.unasked(ctx)
}

// hintOf says what the person does elsewhere.
func hintOf(s apiclient.CollectionStatus) string {
	var hints []string
	if s.Status == "WAITING_FOR_USER_ACTION" && s.Shown.Instruction != nil {
		hints = append(hints, s.Shown.Instruction.Text)
	}
	if s.Shown.ReferenceNumber != "" {
		hints = append(hints, "Compare the number "+s.Shown.ReferenceNumber+".")
	}
	if s.Shown.RedirectURL != "" {
		hints = append(hints, "Open "+s.Shown.RedirectURL)
	}
	return column{}.cut(strings.Join(hints, " "))
}

// showCode draws the QR code, new each second on a terminal, and lets the simulated BankID
// app sign once. The logins that are mocks sign by themselves.
func (d *dialogue) showCode(ctx context.Context, shown apiclient.Shown) error {
	if d.real {
		return d.showRealCode(shown)
	}
	code := shown.QRText
	if code == "" {
		code = shown.QRImage
	}
	mock := strings.HasSuffix(d.of.method, "_MOCK")
	if code != "" && code != d.code {
		drawn, err := drawCode(shown)
		if err != nil {
			return err
		}
		if d.code == "" && mock {
			d.printf("\nThe person scans it with an app; here it is signed after a few seconds.")
		} else if d.code == "" {
			d.printf("\nThe person scans it with the (simulated) BankID app and signs.")
		}
		d.draw(drawn)
		d.code = code
	}
	if d.signed || mock || shown.QRText == "" && shown.AutoStartToken == "" {
		return nil
	}
	d.signed = true
	if shown.QRText == "" {
		return d.phone.Act(ctx, "approve", shown.AutoStartToken, "", d.of.person)
	}
	return d.phone.Act(ctx, "approve", "", shown.QRText, d.of.person)
}

func drawCode(shown apiclient.Shown) (string, error) {
	if shown.QRText != "" {
		return qr.Text(shown.QRText)
	}
	return qr.TextOfPNG(shown.QRImage)
}

// showRealCode draws the code that a status shows, or takes it away when there is none any
// more, and prints the link of the app on this device.
func (d *dialogue) showRealCode(shown apiclient.Shown) error {
	if shown.QRText+shown.QRImage == "" {
		if d.code != "" {
			d.code = ""
			d.wipe()
		}
	} else {
		drawn, err := drawCode(shown)
		if err != nil {
			return err
		}
		d.code = shown.QRText + shown.QRImage
		d.picture(drawn, "Scan the code with the app.", shown.QRText != "")
	}
	if t := shown.AutoStartToken; t != "" && t != d.link {
		d.link = t
		d.aside("On this device: " + appLink(t))
	}
	return nil
}

// next waits for the next poll, or for a line that the person types, and polls.
func (d *dialogue) next(ctx context.Context) (apiclient.CollectionStatus, error) {
	wait := d.clock.NewTimer(d.every)
	defer wait.Stop()
	var lines <-chan string
	if d.form != nil {
		lines = d.lines
	}
	select {
	case <-ctx.Done():
		return apiclient.CollectionStatus{}, ctx.Err()
	case line, ok := <-lines:
		if !ok { // nobody answers any more: the sandbox's answers do
			d.lines = nil
		} else if err := d.typed(ctx, line); err != nil {
			return apiclient.CollectionStatus{}, err
		}
	case <-wait.C():
	}
	return patiently(ctx, d.demo, func(ctx context.Context) (apiclient.CollectionStatus, error) {
		return d.client.PollCollection(ctx, d.token, d.id)
	})
}
