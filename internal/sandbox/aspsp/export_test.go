package aspsp

// OnPage returns an authorisation that waits for the person on the bank's page.
func OnPage() Authorisation { return Authorisation{Status: SCAReceived, Page: &pageSide{}} }
