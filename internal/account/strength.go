package account

// strength is the rule of what links accounts (docs/reference/api.md 11.2).
func (c *comparison) strength() Strength {
	switch {
	case !c.kind:
		return c.otherKind()
	case c.iban:
		return Certain
	case c.ibansDiffer:
		return c.despite(c.longResource || c.number >= part)
	case c.sameCompany:
		return c.atOneCompany()
	}
	return c.atTwoCompanies()
}

// otherKind is for products of two kinds with one number: an investment and the account
// of its cash have the same one at some institutions. A card has that of its account.
func (c *comparison) otherKind() Strength {
	return c.despite((c.iban || c.number >= part) && c.sameCompany)
}

func (c *comparison) despite(doubt bool) Strength {
	if doubt {
		return Doubtful
	}
	return Different
}

func (c *comparison) atOneCompany() Strength {
	switch {
	case c.number == whole:
		return Certain
	case c.number == part:
		return Strong
	case c.number == short: // a counter, or the number of the person
		if c.sameType && c.name {
			return Strong
		}
		return c.despite(c.sameType && c.longResource)
	case c.numbersDiffer:
		return c.despite(c.longResource)
	case c.masked:
		if c.shown >= tellingShown || c.name || c.longResource {
			return Strong
		}
		return Doubtful
	case c.masksDiffer: // a card that was replaced has another number
		if c.longResource && c.name {
			return Strong
		}
		return c.despite(c.longResource)
	case c.longResource:
		return Strong
	}
	return c.despite(c.sameType && (c.name || c.resource))
}

// atTwoCompanies is for one account at a bank and at a source that shows accounts of
// others. Names and ids of one say nothing of the other.
func (c *comparison) atTwoCompanies() Strength {
	switch {
	case c.number == whole:
		return Certain
	case c.number == part && c.name && c.sameType:
		return Strong
	case c.number == part:
		return Doubtful
	case c.numbersDiffer, c.number == short:
		return Different
	}
	return c.despite(c.masked && (c.shown >= tellingShown || c.name))
}
