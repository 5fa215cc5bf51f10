package pages

import "strings"

// words are the texts of the pages in one language.
type words struct {
	Works, WorksWith, Wait, NeedsScript         string
	AsksTitle, Asks, AsksSent                   string
	Begun, NotBegun, Goes, Stopped              string
	CodeTitle, ShowsCode, NeverTell, EntersCode string
	GoOn, BackTo, MayClose                      string
	Elsewhere, Broken, TryAgain, Unknown        string
	Outcomes                                    map[string]string
}

var languages = map[string]words{
	"en": {
		Works: "One moment", WorksWith: "Asking %s", Wait: "This takes a few seconds. If the bank asks in its app, confirm there.",
		NeedsScript: "Switch on JavaScript for this page, and load it again.",
		AsksTitle:   "Was it you who started this?",
		Asks:        "Somebody has just asked that %s may read their accounts at %s. If you go on, your accounts are read, and shown to the person who started this.",
		AsksSent:    "Has somebody sent you this link, or told you to open it? Say no.",
		Begun:       "Yes, it was me", NotBegun: "No, stop everything", Goes: "Go on to %s",
		Stopped:   "Stopped. Nothing has been read.",
		CodeTitle: "Go on where you began", ShowsCode: "You began this in another browser. Go back to it, and type this code there:",
		NeverTell:  "Do not give the code to anybody.",
		EntersCode: "Type the code that the other browser shows", GoOn: "Go on", BackTo: "Back to %s", MayClose: "You can close this page.",
		Elsewhere: "This has been used in another browser", Broken: "Something went wrong on our side", TryAgain: "Load the page again in a moment.",
		Unknown: "This link is no longer in use",
		Outcomes: map[string]string{"authorized": "Done. Your accounts can be read.", "cancelled": "You said no. Nothing is read.", "late": "The time was over. Nothing is read.",
			"mismatch": "Somebody else signed. Nothing is read.", "failed": "The bank did not finish this. Nothing is read."},
	},
	"sv": {
		Works: "Ett ögonblick", WorksWith: "Frågar %s", Wait: "Det tar några sekunder. Om banken frågar i sin app, godkänn där.",
		NeedsScript: "Slå på JavaScript för sidan och ladda om den.",
		AsksTitle:   "Var det du som började?",
		Asks:        "Någon har nyss bett att %s ska få läsa deras konton hos %s. Om du fortsätter läses dina konton, och den som började får se dem.",
		AsksSent:    "Har någon skickat länken till dig eller bett dig öppna den? Svara nej.",
		Begun:       "Ja, det var jag", NotBegun: "Nej, stoppa allt", Goes: "Fortsätt till %s",
		Stopped:   "Stoppat. Ingenting har lästs.",
		CodeTitle: "Fortsätt där du började", ShowsCode: "Du började i en annan webbläsare. Gå tillbaka till den och skriv koden där:",
		NeverTell:  "Ge inte koden till någon.",
		EntersCode: "Skriv koden som den andra webbläsaren visar", GoOn: "Fortsätt", BackTo: "Tillbaka till %s", MayClose: "Du kan stänga sidan.",
		Elsewhere: "Det här har använts i en annan webbläsare", Broken: "Något gick fel hos oss", TryAgain: "Ladda om sidan om en stund.",
		Unknown: "Länken används inte längre",
		Outcomes: map[string]string{"authorized": "Klart. Dina konton kan läsas.", "cancelled": "Du sa nej. Ingenting läses.", "late": "Tiden gick ut. Ingenting läses.",
			"mismatch": "Någon annan skrev under. Ingenting läses.", "failed": "Banken slutförde inte. Ingenting läses."},
	},
}

// wordsFor returns the language that an Accept-Language prefers first of those that there
// are, and its words; English if there is none.
func wordsFor(accepted string) (string, words) {
	for part := range strings.SplitSeq(accepted, ",") {
		tag, _, _ := strings.Cut(strings.TrimSpace(part), ";")
		language, _, _ := strings.Cut(tag, "-")
		if w, ok := languages[strings.ToLower(language)]; ok {
			return strings.ToLower(language), w
		}
	}
	return "en", languages["en"]
}
