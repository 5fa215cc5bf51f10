package product

// Person returns where a product has its personal information, or nil for an *Other.
func Person(p Product) **PersonalInformation {
	switch p := p.(type) {
	case *Investment:
		return &p.PersonalInformation
	case *Loan:
		return &p.PersonalInformation
	case *Pension:
		return &p.PersonalInformation
	case *PublicPension:
		return &p.PersonalInformation
	case *Psd2Account:
		return &p.PersonalInformation
	case *SavingsAccount:
		return &p.PersonalInformation
	}
	return nil
}
