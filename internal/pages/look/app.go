package look

import (
	"html/template"
	"net/url"
	"strings"
)

// AppURL returns the address that opens the BankID app on the device
// (docs/reference/banks.md 12.6). back is the page to which the app returns on iOS.
func AppURL(token, agent, back string) template.URL {
	if token == "" {
		return ""
	}
	q := "autostarttoken=" + url.QueryEscape(token) + "&redirect="
	switch {
	case strings.Contains(agent, "iPhone") || strings.Contains(agent, "iPad"):
		if strings.Contains(agent, "Safari") && !strings.Contains(agent, "CriOS") && !strings.Contains(agent, "FxiOS") {
			return template.URL("https://app.bankid.com/?" + q + url.QueryEscape(back+"#app")) //nolint:gosec // escaped above
		}
		return template.URL("https://app.bankid.com/?" + q + "null") //nolint:gosec // escaped above
	case strings.Contains(agent, "Android"):
		return template.URL("https://app.bankid.com/?" + q + "null") //nolint:gosec // escaped above
	}
	return template.URL("bankid:///?" + q + "null") //nolint:gosec // escaped above
}

// OnPhone reports whether a browser runs on a phone or a tablet.
func OnPhone(agent string) bool {
	return strings.Contains(agent, "Mobi") || strings.Contains(agent, "Android") || strings.Contains(agent, "iPad")
}
