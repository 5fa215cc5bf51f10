// What the program offers.
export const institution = { id: "se-example", displayName: "Example Pension", market: "se",
  loginMethods: ["SWEDISH_MOBILE_BANKID_OTHER_DEVICE", "SWEDISH_MOBILE_BANKID_SAME_DEVICE"],
  parameters: ["personalNumber"], products: ["OCCUPATIONAL_PENSION"] };

// A product (docs/reference/products.md 8). It has no id and no company: Samla writes them.
export const pension = (personalNumber) => ({
  type: "OCCUPATIONAL_PENSION", productName: "Example Pension Plan", productNumber: "12345678",
  startDate: "2012-05-01", classification: "ITP", benefitType: "DEFINED_CONTRIBUTION", activePayment: true, activePayout: false,
  financialInformation: { currentValue: { amount: 512000.25, currency: "SEK" } },
  fees: { generic: { variable: 0.0065 } },
  movability: { result: "NOT_MOVABLE" },
  personalInformation: { personalNumber, name: "Example Person" } });

// An account as facts; Samla makes a product of it.
export const savings = { id: "a1", number: "90201234567", name: "Savings", holder: "Example Person", currency: "SEK", kind: "SAVINGS",
  booked: { amount: "1500.50", currency: "SEK" }, available: { amount: "1500.50", currency: "SEK" },
  transactions: [{ id: "t1", amount: "-250.00", currency: "SEK", bookingDate: "2026-03-02",
    counterparty: "Example Shop", description: "Purchase", pending: false }] };
