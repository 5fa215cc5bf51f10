package household

import "encoding/json"

type transactionJSON struct {
	Type                  string          `json:"type"`
	Amount                *amountJSON     `json:"amount"`
	SettlementDate        string          `json:"settlementDate"`
	Description           string          `json:"description,omitzero"`
	InstrumentInformation *instrumentJSON `json:"instrumentInformation,omitzero"`
	Commission            *amountJSON     `json:"commission,omitzero"`
	Quantity              json.Number     `json:"quantity,omitzero"`
	TradeDate             string          `json:"tradeDate,omitzero"`
}

type instrumentJSON struct {
	ISIN  string      `json:"isin"`
	Name  string      `json:"name"`
	Type  string      `json:"type"`
	Price *amountJSON `json:"priceInAccountCurrency"`
}

func (t *transaction) json() transactionJSON {
	j := transactionJSON{
		Type: string(t.kind), Amount: t.amount.json(), SettlementDate: dateJSON(t.settled),
		Description: t.text,
	}
	if t.number != 0 {
		in := t.number.instrument()
		j.InstrumentInformation = &instrumentJSON{in.isin, in.name, string(t.number.kind()), t.price.json()}
	}
	if t.kind == buy || t.kind == sell {
		j.TradeDate, j.Quantity = dateJSON(t.traded), t.units.decimal()
		if t.commission > 0 {
			j.Commission = t.commission.json()
		}
	}
	return j
}

// transactionsJSON returns the kept transactions, newest first.
func (l *ledger) transactionsJSON() []transactionJSON {
	list := make([]transactionJSON, 0, len(l.kept))
	for i := len(l.kept) - 1; i >= 0; i-- {
		list = append(list, l.kept[i].json())
	}
	return list
}

// yearBefore returns the day 12 months before: transactions settled after it are shown.
func yearBefore(d Day) Day {
	year, m, day := d.Time().Date()
	return date(year-1, int(m), min(day, daysIn(year-1, int(m))))
}
