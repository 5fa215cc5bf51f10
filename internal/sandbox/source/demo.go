package source

import "samla/internal/sandbox/household"

func demoRows() []row { return concat(documentedRows(), endingRows(), questionRows(), readingRows()) }

// documentedRows are the rows of docs/reference/api.md 8. What they have is in
// household.ContentsOf.
func documentedRows() []row {
	picture, animated := step{Kind: stepPicture, For: pictureTime}, step{Kind: stepQR, For: pictureTime}
	loans := contents{Household: household.WithoutLoans, Missing: []missing{{"loans", "the system of loans does not answer"}}}
	return []row{
		demo("200002010000", person("fails at once", isFailed)).withLogin(out(failed)),
		demo("200002020000", person("fails after login", isLogin, isFailed)).withThen(out(failed)),
		demo("200002030000", person("fails after login", isLogin, isFailed)).withThen(out(failed)),
		demo("200002040000", person("gives a QR code, then fails", isLogin, isFailed)).withLogin(picture).withThen(out(failed)),
		demo("200002060000", person("gives an animated QR code, then fails", isLogin, isFailed)).withLogin(animated).withThen(out(failed)),
		demo("200002050000", person("everything but loans, which cannot be read", isLogin, isPartial)).withContents(loans),
		demo("200001010000", person("has nothing", isLogin, isEmpty)),
		demo("200001020000", person("two of each type: maximum and minimum data", isLogin, isCompleted)),
		demo("200001030000", person("one of each type: minimum data", isLogin, isCompleted)),
		demo("200001040000", person("gives a QR code", isLogin, isCompleted)).withLogin(picture),
		demo("200001060000", person("gives an animated QR code", isLogin, isCompleted)).withLogin(animated),
		demo("199007011000", person("is asked for e-mail and phone; has nothing", isLogin, isContact, isEmpty).does("inputs EMAIL MOBILE_PHONE_NUMBER")).
			withThen(contact(inputEmail, inputPhone)),
		demo("199312252399", person("an ISK", isLogin, isCompleted)),
		demo("199501302393", person("a custody account", isLogin, isCompleted)),
		demo("198611239883", person("a KF", isLogin, isCompleted)),
		demo("196603233724", person("an ISK, a custody account and a KF", isLogin, isCompleted)),
		demo("198208149297", person("two occupational pensions, one movable", isLogin, isCompleted)),
		demo("199011062388", person("pensions and investment accounts", isLogin, isCompleted)),
		demo("198412099296", person("pensions and investment accounts", isLogin, isCompleted)),
		demo("199006022397", person("anybody: a whole household", isLogin, isCompleted),
			person("the device makes a request of the newer form", isLogin, isCompleted).by(methodMockClientSide).does("device"),
			person("the client stops the collection", isLogin, isCancelled).by(methodMockClientSide).does("stop")),
	}
}

// The persons below are the sandbox's own. Their numbers have the serial 000, which is never
// issued, so they are nobody's.

// endingRows are persons whose login ends in each way that is not of the documented rows.
func endingRows() []row {
	ends := func(number string, r reason, status, shows string) row {
		return demo(number, person(shows, isLogin, status)).withThen(out(r))
	}
	return []row{
		ends("200003010000", wrongCredentials, isIncorrect, "wrong credentials"),
		ends("200003020000", locked, isLocked, "the account is locked"),
		ends("200003030000", cancelled, isCancelled, "cancels in the app"),
		ends("200003040000", conflict, isConflict, "has another login going on"),
		ends("200003050000", mismatch, isMismatch, "another person logs in"),
		ends("200003060000", kycRequired, isKYC, "must fill in the know-your-customer form"),
		ends("200003070000", contactRequired, isContactForm, "must give contact details at the company"),
		ends("200003080000", enrollmentRequired, isEnrollment, "is no customer yet"),
		ends("200003090000", methodNotApplicable, isMethod, "needs another login method"),
		ends("200003100000", unavailable, isThirdParty, "the company's login is down"),
		ends("200003110000", loginFailed, isAuthError, "the login fails for another reason"),
		ends("200003120000", timedOut, isTimeout, "does not finish in time"),
		demo("200003130000", person("the company says that another person is in", isLogin, isMismatch)).
			withThen(step{Kind: stepIn, Mask: "200003050000"}),
		demo("200003140000",
			person("the company never goes on; the client leaves", isLogin, isTimeout).does("leave"),
			person("the company never goes on", isLogin, isThirdParty).does("stay")).withLogin(work(0)),
	}
}

// questionRows are persons who are asked, or act elsewhere.
func questionRows() []row {
	choices := []step{choose(), code(locked).after(bySMS), elsewhere(stepApp).after(byApp)}
	return []row{
		demo("200004010000",
			person("a code", isLogin, isTwoFactor, isCompleted).does("code 123456"),
			person("a wrong code, then the right one", isLogin, isTwoFactor, isCompleted).does("code 000000", "code 123456"),
			person("a new code", isLogin, isTwoFactor, isCompleted).does("choice RESEND", "code 234561"),
			person("three wrong codes", isLogin, isTwoFactor, isIncorrect).does("code 000000", "code 000000", "code 000000")).
			withThen(code(wrongCredentials)),
		demo("200004020000", person("three wrong codes lock the account", isLogin, isTwoFactor, isLocked).does("code 000000", "code 000000", "code 000000")).
			withThen(code(locked)),
		demo("200004030000",
			person("chooses a text message", isLogin, isTwoFactor, isCompleted).does("choice SMS", "code 123456"),
			person("chooses the app", isLogin, isTwoFactor, isElsewhere, isCompleted).does("choice APP", "open")).withThen(choices...),
		demo("200004040000", person("gives no code within 3 seconds", isLogin, isTwoFactor, isTimeout)).withThen(code(wrongCredentials).hasty()),
		demo("200004050000", person("chooses nothing within 3 seconds", isLogin, isTwoFactor, isNoChoice)).withThen(choose().hasty(), code(locked)),
		demo("200004060000", person("gives no contact details within 3 seconds", isLogin, isContact, isContactForm)).
			withThen(contact(inputEmail, inputPhone).hasty()),
		demo("200004070000", person("is asked for an e-mail address", isLogin, isInput, isCompleted).does("inputs EMAIL")).withThen(input(inputEmail)),
		demo("200004080000", person("gives no input within 3 seconds", isLogin, isInput, isNoInput)).withThen(input(inputEmail).hasty()),
		demo("200004090000", person("approves in an app", isLogin, isElsewhere, isCompleted).does("open")).withThen(elsewhere(stepApp)),
		demo("200004100000", person("acts on a page of the company", isLogin, isElsewhere, isCompleted).does("open")).withThen(elsewhere(stepPage)),
		demo("200004110000", person("does not approve within 3 seconds", isLogin, isElsewhere, isTimeout)).withThen(elsewhere(stepApp).hasty()),
		demo("200004120000", person("the device makes a request of the older form", isLogin, isCompleted).by(methodMockClientSide).does("device older")).
			withLogin(olderDevice()),
		demo("200004130000", person("a form, a choice and a code", isLogin, isContact, isTwoFactor, isCompleted).
			does("inputs EMAIL MOBILE_PHONE_NUMBER", "choice SMS", "code 123456")).withThen(append([]step{contact(inputEmail, inputPhone)}, choices...)...),
		// The company never gives up: the time-outs of the waiting statuses are the server's.
		demo("200004140000", person("never gives the code", isLogin, isTwoFactor, isTimeout).does("stay"), person("asked, the client leaves", isLogin, isTwoFactor, isTimeout).does("leave")).withThen(code(wrongCredentials).endless()),
		demo("200004150000", person("never chooses", isLogin, isTwoFactor, isNoChoice).does("stay"), person("asked, the client leaves", isLogin, isTwoFactor, isNoChoice).does("leave")).withThen(choose().endless(), code(locked)),
		demo("200004160000", person("never fills in the contact form", isLogin, isContact, isContactForm).does("stay"), person("asked, the client leaves", isLogin, isContact, isContactForm).does("leave")).
			withThen(contact(inputEmail, inputPhone).endless()),
		demo("200004170000", person("never gives the input", isLogin, isInput, isNoInput).does("stay"), person("asked, the client leaves", isLogin, isInput, isNoInput).does("leave")).withThen(input(inputEmail).endless()),
		demo("200004180000", person("never approves", isLogin, isElsewhere, isTimeout).does("stay"), person("asked, the client leaves", isLogin, isElsewhere, isTimeout).does("leave")).withThen(elsewhere(stepApp).endless()),
	}
}

func olderDevice() step { s := device(); s.Older = true; return s }

// readingRows are persons who are in, and whose data is hard to read.
func readingRows() []row {
	all := household.Everything
	return []row{
		demo("200005010000", person("reading takes three seconds", isLogin, isCollecting, isCompleted)).withContents(contents{Household: all, Empty: 3}),
		demo("200005020000", person("nothing can be read", isLogin, isThirdParty)).withContents(contents{Household: all, Fails: 1}),
		demo("200005030000", person("the second page cannot be read", isLogin, isPartial)).withContents(contents{Household: all, Fails: 2}),
	}
}
