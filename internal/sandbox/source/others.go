package source

// The rows of the institutions beside se-demo. Their BankID is the sandbox's, so that their
// persons have Skatteverket's test numbers.

func insurerRows() []row {
	return []row{
		{email: "anna@example.com", people: []Person{person("opens the link of an e-mail", isElsewhere, isCompleted).does("open")}},
		{email: "sen@example.com", login: []step{{Kind: stepMail, Limit: hastyTime, Late: timedOut}},
			people: []Person{person("a link that can be used for 3 seconds", isElsewhere, isTimeout)}},
	}
}

func brokerRows() []row {
	return []row{
		{number: "199006022397", people: []Person{
			person("signs, chooses a text message", isLogin, isTwoFactor, isCompleted).does("sign", "choice SMS", "code 123456"),
			person("signs, chooses the app", isLogin, isTwoFactor, isElsewhere, isCompleted).does("sign", "choice APP", "open").by(methodSame),
			person("against the test environment", isLogin, isTwoFactor, isCompleted).does("sign", "choice SMS", "code 123456").by(methodAnyTest),
			person("three wrong codes", isLogin, isTwoFactor, isLocked).does("sign", "choice SMS", "code 000000", "code 000000", "code 000000"),
			person("declines in BankID", isLogin, isCancelled).does("decline").by(methodSameTest),
		}},
	}
}

func lenderRows() []row {
	return []row{
		{number: "199006022397", people: []Person{
			person("signs; has loans", isLogin, isCompleted).does("sign"),
			person("signs on the same device", isLogin, isCompleted).does("sign").by(methodSame),
			person("against the test environment", isLogin, isCompleted).does("sign").by(methodOtherTest),
			person("against the test environment, on the same device", isLogin, isCompleted).does("sign").by(methodSameTest),
			person("another person signs", isLogin, isMismatch).does("sign 190905271474"),
			person("nobody scans a code", isLogin, isTimeout).does("stay"),
		}},
		{number: "199312252399", then: []step{out(kycRequired)}, people: []Person{person("must fill in the know-your-customer form", isLogin, isKYC).does("sign")}},
		{number: "199501302393", then: []step{out(enrollmentRequired)}, people: []Person{person("is no customer yet", isLogin, isEnrollment).does("sign")}},
		{number: "199008672397", then: []step{out(methodNotApplicable)}, people: []Person{person("needs another login method", isLogin, isMethod).does("sign")}},
	}
}

func pensionRows() []row {
	return []row{
		{number: "199006022397", people: []Person{
			person("signs, fills in the contact form", isLogin, isContact, isCompleted).does("sign", "inputs EMAIL MOBILE_PHONE_NUMBER"),
			person("signs on the same device, which makes a request", isLogin, isContact, isCompleted).by(methodClientSide).
				does("sign", "device", "inputs EMAIL MOBILE_PHONE_NUMBER"),
		}},
		{number: "199011062388", then: []step{input(inputEmail)}, people: []Person{person("signs, gives an e-mail address", isLogin, isInput, isCompleted).
			does("sign", "inputs EMAIL")}},
	}
}

func savingsRows() []row {
	return []row{{number: "199006022397", people: []Person{
		person("a code of the security token", isTwoFactor, isCompleted).does("code 123456"),
		person("three wrong codes", isTwoFactor, isIncorrect).does("code 000000", "code 000000", "code 000000"),
	}}}
}

func publicRows() []row {
	return []row{{number: "199006022397", people: []Person{
		person("signs; the public pension", isLogin, isCompleted).does("sign"),
		person("signs on the same device", isLogin, isCompleted).does("sign").by(methodSame),
	}}}
}
