package household

import "testing"

// The draw vector of docs/reference/households.md 5.
func TestDraws_AreThoseOfTheReference(t *testing.T) {
	d := draws("199006022397")
	if key := d.key("salary"); key != 10999237489436440910 || key%19 != 18 {
		t.Errorf("key %d", key)
	}
	if salary := d.between("salary", 27_500, 36_500, 500); salary != 36_500 {
		t.Errorf("salary %d", salary)
	}
}
