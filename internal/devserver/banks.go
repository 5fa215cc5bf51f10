package devserver

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"

	"samla/internal/institution"
	"samla/internal/institution/families"
	"samla/internal/institution/registry"
	"samla/internal/institution/xs2a"
	"samla/internal/sandbox"
	"samla/internal/sandbox/aspsp"
)

// The login methods of the sandbox's banks (docs/reference/api.md 6.3).
var (
	otherDevice = []string{"SWEDISH_MOBILE_BANKID_OTHER_DEVICE", "SWEDISH_MOBILE_BANKID_OTHER_DEVICE_TEST"}
	sameDevice  = []string{"SWEDISH_MOBILE_BANKID_SAME_DEVICE", "SWEDISH_MOBILE_BANKID_SAME_DEVICE_TEST"}
)

// bank is an entry of a banks file.
type bank struct {
	registry.Entry
	xs2a.Config
}

// WriteBanks writes a banks file of the sandbox's banks and sources. The sandbox must have a
// directory, because the file names its certificates there, and be started: the list of
// banks of its gateway is written beside the file.
func WriteBanks(ctx context.Context, path string, s *sandbox.Sandbox, d institution.Deps) error {
	var file struct {
		Banks []any `json:"banks"`
	}
	for _, info := range s.Banks() {
		b := bankOf(info)
		if err := signingOf(&b, info, filepath.Dir(path)); err != nil {
			return err
		}
		files := s.TPPFiles()
		b.Certificates = xs2a.Certificates{QWACCert: files.QWAC, QWACKey: files.QWACKey, QSEALCert: files.QSEAL,
			QSEALKey: files.QSEALKey, CAFile: s.CAFile()}
		if info.Behaviour.P256 {
			b.Certificates.QSEALCert, b.Certificates.QSEALKey = files.P256, files.P256Key
		}
		file.Banks = append(file.Banks, b)
	}
	for _, e := range nordeasOf(s) {
		file.Banks = append(file.Banks, e)
	}
	for _, e := range obiesOf(s) {
		file.Banks = append(file.Banks, e)
	}
	gateway := gatewayOf(s)
	file.Banks = append(file.Banks, gateway)
	for _, e := range sourcesOf(s) {
		file.Banks = append(file.Banks, e)
	}
	data, err := json.MarshalIndent(file, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(path, append(data, '\n'), 0o600); err != nil {
		return err
	}
	return fetchList(ctx, path, gateway, d)
}

// OpenBanks opens the sandbox's banks as samla serve does, by a banks file that it
// writes below dir.
func OpenBanks(ctx context.Context, dir string, s *sandbox.Sandbox, d institution.Deps) (institution.Set, error) {
	path := filepath.Join(dir, banksFile)
	if err := WriteBanks(ctx, path, s, d); err != nil {
		return nil, err
	}
	return openFile(path, d)
}

func openFile(path string, d institution.Deps) (institution.Set, error) {
	file, err := families.All().Load(path)
	if err != nil {
		return nil, err
	}
	return file.Open(d)
}

// bankOf returns the entry of one of the sandbox's banks, without certificates.
func bankOf(info sandbox.BankInfo) bank {
	always := true
	b := bank{
		registry.Entry{Company: info.Company, DisplayName: info.DisplayName, Family: "xs2a",
			LoginMethods: append(append([]string{}, otherDevice...), sameDevice...)},
		xs2a.Config{BaseURL: info.BaseURL, OwnAddress: "127.0.0.1", Profile: xs2a.Profile{ReplaySafe: true, SendPSUID: &always,
			NeedsPSUID: info.Behaviour.PSUIDRequired, LongestConsent: info.Behaviour.MaxValidDays, DailyLimit: info.Behaviour.DailyLimit}},
	}
	switch info.Behaviour.Token {
	case aspsp.QRText:
		b.Profile.QR = institution.QRText
	case aspsp.AutostartOnly:
		b.Profile.QR, b.LoginMethods = institution.QRNone, sameDevice
	case aspsp.StartSecret:
		b.Profile.QR = institution.QRSecret
	case aspsp.StaticImage:
		b.Profile.QR, b.LoginMethods = institution.QRImage, otherDevice
	}
	b.Profile.OldConsent = institution.OldEndsWithNew
	if info.Behaviour.EndsOldOnRequest {
		b.Profile.OldConsent = institution.OldEndsOnRequest
	}
	if info.Behaviour.OrderTime > 0 {
		expiresAt := "/expiresAt"
		b.Profile.ExpiresAt = &expiresAt
	}
	if !info.Behaviour.WithBalance {
		b.Profile.WithBalance = new(bool)
	}
	if len(info.Behaviour.BookingStatuses) == 1 {
		b.Profile.BookingStatus = "booked"
	}
	if info.Behaviour.UnsignedReads {
		b.Signature.Methods = []string{http.MethodPost, http.MethodDelete}
	}
	if info.Behaviour.DateSigned {
		b.Signature.Headers = []string{"date", "digest", "x-request-id", "psu-id"}
	}
	return b
}
