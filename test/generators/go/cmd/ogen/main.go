// Command ogen runs the main flow with the client of ogen, which validates what it reads.
package main

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/ogen-go/ogen/ogenerrors"

	"generators/flow"
	api "generators/ogenapi"
)

func main() {
	flow.Main(func(s flow.Settings) (flow.Client, error) {
		c := &client{key: s.Key}
		var err error
		c.api, err = api.NewClient(s.API, c)
		return c, err
	}, again)
}

// again reads a product and writes it.
func again(product []byte) ([]byte, error) {
	var p api.FinancialProduct
	if err := p.UnmarshalJSON(product); err != nil {
		return nil, err
	}
	if err := p.Validate(); err != nil {
		return nil, err
	}
	return p.MarshalJSON()
}

type client struct {
	api        *api.Client
	key, token string
}

// ApiKeyAuth and SessionAuth are api.SecuritySource.
func (c *client) ApiKeyAuth(context.Context, api.OperationName) (api.ApiKeyAuth, error) {
	if c.token != "" {
		return api.ApiKeyAuth{}, ogenerrors.ErrSkipClientSecurity
	}
	return api.ApiKeyAuth{APIKey: c.key}, nil
}

func (c *client) SessionAuth(context.Context, api.OperationName) (api.SessionAuth, error) {
	if c.token == "" {
		return api.SessionAuth{}, ogenerrors.ErrSkipClientSecurity
	}
	return api.SessionAuth{Token: c.token}, nil
}

var version = api.NewOptString(flow.Version)

// success returns the body of an answer that has the type of the success, or an error.
func success[T any](answer any, err error) (body T, _ error) {
	if err != nil {
		return body, err
	}
	if s, ok := answer.(interface{ GetResponse() T }); ok {
		return s.GetResponse(), nil
	}
	return body, fmt.Errorf("answered %T %+v", answer, answer)
}

func (c *client) CreateUser(ctx context.Context, externalID string) (string, error) {
	res, err := c.api.CreateUser(ctx, &api.CreateUserRequest{ExternalId: externalID}, api.CreateUserParams{InsurelyVersion: version})
	user, err := success[api.UserResponse](res, err)
	if err != nil {
		return "", err
	}
	return user.UserUuid.String(), nil
}

func (c *client) Session(ctx context.Context, user string) error {
	res, err := c.api.CreateSession(ctx, api.CreateSessionParams{InsurelyVersion: version, UserUuid: uuid.MustParse(user)})
	session, err := success[api.SessionResponse](res, err)
	if err == nil {
		c.token = session.Token
	}
	return err
}

func (c *client) RefusedConsent(ctx context.Context, company string) (code, pointer string, err error) {
	res, err := c.api.CreateConsent(ctx, &api.CreateConsentRequest{Company: company, Parameters: []api.ConsentParameter{}},
		api.CreateConsentParams{InsurelyVersion: version})
	problem, err := success[api.ConsentError](res, err)
	if err != nil {
		return "", "", err
	}
	if len(problem.Errors) != 1 {
		return "", "", fmt.Errorf("refused with %+v", problem)
	}
	return problem.Code, problem.Errors[0].Pointer, nil
}

func (c *client) CreateConsent(ctx context.Context, company, person string) (string, error) {
	access := api.Psd2AisConsentParameter{Type: api.Psd2AisConsentParameterTypePSD2AISCONSENT, PsuIpAddress: flow.IPAddress, PsuLocale: api.NewOptNilString("sv-SE"), Balances: api.NewOptNilBool(true)}
	bankID := api.SwedishBankIdParameter{Type: api.SwedishBankIdParameterTypeSWEDISHBANKID, PersonalNumber: person}
	res, err := c.api.CreateConsent(ctx, &api.CreateConsentRequest{Company: company, LoginMethod: api.NewOptNilString(flow.LoginMethod),
		Parameters: []api.ConsentParameter{
			api.NewPsd2AisConsentParameterConsentParameter(access), api.NewSwedishBankIdParameterConsentParameter(bankID),
		}}, api.CreateConsentParams{InsurelyVersion: version})
	consent, err := success[api.Consent](res, err)
	if err != nil {
		return "", err
	}
	if scope, ok := consent.Scope.GetPsd2AisConsentScope(); !ok || !scope.Transactions {
		return "", fmt.Errorf("the scope is %+v", consent.Scope)
	}
	return consent.ConsentId.String(), nil
}

func (c *client) ConsentStatus(ctx context.Context, consent string) (flow.Status, error) {
	res, err := c.api.GetConsentStatus(ctx, api.GetConsentStatusParams{InsurelyVersion: version, ConsentId: uuid.MustParse(consent)})
	s, err := success[api.ConsentStatusResponse](res, err)
	if err != nil {
		return flow.Status{}, err
	}
	status := flow.Status{Status: string(s.Status), Poll: milliseconds(s.PollingInterval)}
	if code, ok := s.AuthInstructions.Value.GetBankIdQrCode(); ok {
		status.QRData = code.QrData.Or("")
	}
	return status, nil
}

func milliseconds(n api.NilInt32) time.Duration {
	return time.Duration(n.Or(0)) * time.Millisecond
}

func (c *client) StartCollection(ctx context.Context, company, consent string) (string, error) {
	stored := api.StoredConsentParameter{Type: api.StoredConsentParameterTypeSTOREDCONSENT, ConsentId: uuid.MustParse(consent), PsuIpAddress: api.NewOptNilString(flow.IPAddress)}
	res, err := c.api.InitiateCollection(ctx, &api.InitiateCollectionRequest{Company: company,
		Parameters: api.NewOptNilCollectionParameterArray([]api.CollectionParameter{api.NewStoredConsentParameterCollectionParameter(stored)}),
	}, api.InitiateCollectionParams{InsurelyVersion: version})
	collection, err := success[api.CollectionStatusResponse](res, err)
	if err != nil {
		return "", err
	}
	return collection.ID.String(), nil
}

func (c *client) CollectionStatus(ctx context.Context, collection string) (flow.Status, error) {
	res, err := c.api.GetCollectionStatus(ctx, api.GetCollectionStatusParams{InsurelyVersion: version, CollectionId: uuid.MustParse(collection)})
	s, err := success[api.CollectionStatusResponse](res, err)
	if err != nil {
		return flow.Status{}, err
	}
	return flow.Status{Status: string(s.Status), Poll: milliseconds(s.PollingInterval)}, nil
}

func (c *client) Amounts(ctx context.Context, collection string) ([]string, error) {
	res, err := c.api.GetWealthData(ctx, api.GetWealthDataParams{InsurelyVersion: version, CollectionId: uuid.MustParse(collection)})
	products, err := success[[]api.FinancialProduct](res, err)
	if err != nil {
		return nil, err
	}
	var all []string
	for _, p := range products {
		switch p.Type {
		case api.Psd2CheckingAccountFinancialProduct:
			p := p.Psd2CheckingAccount
			all = append(all, amounts(p.AccountId, p.BookedBalance, p.AvailableBalance, p.Transactions)...)
		case api.Psd2SavingsAccountFinancialProduct:
			p := p.Psd2SavingsAccount
			all = append(all, amounts(p.AccountId, p.BookedBalance, p.AvailableBalance, p.Transactions)...)
		case api.Psd2CreditCardFinancialProduct:
			p := p.Psd2CreditCard
			all = append(all, amounts(p.AccountId, p.BookedBalance, p.AvailableBalance, p.Transactions)...)
		default:
			return nil, fmt.Errorf("a product of the type %s", p.Type)
		}
	}
	return all, nil
}

func amounts(account string, booked, available api.OptMonetaryAmount, rows []api.Psd2Transaction) []string {
	var all []string
	add := func(what string, m api.OptMonetaryAmount) {
		if v, ok := m.Get(); ok {
			all = append(all, flow.Amount(account, what, v.Amount, v.Currency))
		}
	}
	add("booked", booked)
	add("available", available)
	for _, row := range rows {
		add(row.TransactionId.Or(""), api.NewOptMonetaryAmount(row.Amount))
	}
	return all
}

func (c *client) Revoke(ctx context.Context, consent string) (string, error) {
	res, err := c.api.RevokeConsent(ctx, api.RevokeConsentParams{InsurelyVersion: version, ConsentId: uuid.MustParse(consent)})
	s, err := success[api.ConsentStatusResponse](res, err)
	if err != nil {
		return "", err
	}
	return string(s.Status), nil
}
