// Command oapi runs the main flow with the client of oapi-codegen.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"time"

	"github.com/google/uuid"

	"generators/flow"
	"generators/oapi"
)

func main() {
	flow.Main(func(s flow.Settings) (flow.Client, error) {
		c := &client{credential: func(h http.Header) { h.Set("authorization-token", s.Key) }}
		var err error
		c.api, err = oapi.NewClientWithResponses(s.API, oapi.WithRequestEditorFn(func(_ context.Context, r *http.Request) error {
			r.Header.Set("Insurely-Version", flow.Version)
			c.credential(r.Header)
			return nil
		}))
		return c, err
	}, again)
}

// again reads a product and writes it. Each union in it is read as what its discriminator
// says, too: the client keeps unions as text.
func again(product []byte) ([]byte, error) {
	var p oapi.FinancialProduct
	if err := json.Unmarshal(product, &p); err != nil {
		return nil, err
	}
	value, err := p.ValueByDiscriminator()
	if err != nil {
		return nil, err
	}
	if err := unions(reflect.ValueOf(value)); err != nil {
		return nil, err
	}
	return json.Marshal(value)
}

// unions checks that each union below a value loses nothing when it is read.
func unions(v reflect.Value) error {
	if u, ok := v.Interface().(interface{ ValueByDiscriminator() (any, error) }); ok && v.Kind() == reflect.Struct {
		value, err := u.ValueByDiscriminator()
		if err != nil {
			return err
		}
		read, err := json.Marshal(value)
		if err != nil {
			return err
		}
		kept, err := json.Marshal(u)
		if err != nil {
			return err
		}
		var a, b any
		if err := errors.Join(json.Unmarshal(read, &a), json.Unmarshal(kept, &b)); err != nil {
			return err
		}
		if !reflect.DeepEqual(a, b) {
			return fmt.Errorf("%s is read as %s", kept, read)
		}
		return unions(reflect.ValueOf(value))
	}
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			return unions(v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			if err := unions(v.Index(i)); err != nil {
				return err
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				if err := unions(v.Field(i)); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

type client struct {
	api        *oapi.ClientWithResponses
	credential func(http.Header)
}

// answer returns the success of an answer, or its problem as an error.
func answer[T any](status string, success *T, body []byte, err error) (*T, error) {
	if err == nil && success == nil {
		err = fmt.Errorf("%s %s", status, body)
	}
	return success, err
}

func (c *client) CreateUser(ctx context.Context, externalID string) (string, error) {
	res, err := c.api.CreateUserWithResponse(ctx, nil, oapi.CreateUserRequest{ExternalId: externalID})
	if err != nil {
		return "", err
	}
	user, err := answer(res.Status(), res.JSON201, res.Body, nil)
	if err != nil {
		return "", err
	}
	return user.UserUuid.String(), nil
}

func (c *client) Session(ctx context.Context, user string) error {
	res, err := c.api.CreateSessionWithResponse(ctx, uuid.MustParse(user), nil)
	if err != nil {
		return err
	}
	session, err := answer(res.Status(), res.JSON201, res.Body, nil)
	if err != nil {
		return err
	}
	c.credential = func(h http.Header) { h.Set("Authorization", "Bearer "+session.Token) }
	return nil
}

func (c *client) RefusedConsent(ctx context.Context, company string) (code, pointer string, err error) {
	res, err := c.api.CreateConsentWithResponse(ctx, nil, oapi.CreateConsentRequest{Company: company, Parameters: []oapi.ConsentParameter{}})
	if err != nil {
		return "", "", err
	}
	problem := res.ApplicationproblemJSON400
	if problem == nil || problem.Errors == nil || len(*problem.Errors) != 1 {
		return "", "", fmt.Errorf("%s %s", res.Status(), res.Body)
	}
	return problem.Code, (*problem.Errors)[0].Pointer, nil
}

func (c *client) CreateConsent(ctx context.Context, company, person string) (string, error) {
	method, locale, yes := flow.LoginMethod, "sv-SE", true
	var access, bankID oapi.ConsentParameter
	err := errors.Join(
		access.FromPsd2AisConsentParameter(oapi.Psd2AisConsentParameter{PsuIpAddress: flow.IPAddress, PsuLocale: &locale, Balances: &yes}),
		bankID.FromSwedishBankIdParameter(oapi.SwedishBankIdParameter{PersonalNumber: person}))
	if err != nil {
		return "", err
	}
	res, err := c.api.CreateConsentWithResponse(ctx, nil, oapi.CreateConsentRequest{Company: company, LoginMethod: &method,
		Parameters: []oapi.ConsentParameter{access, bankID}})
	if err != nil {
		return "", err
	}
	consent, err := answer(res.Status(), res.JSON201, res.Body, nil)
	if err != nil {
		return "", err
	}
	if scope, err := consent.Scope.AsPsd2AisConsentScope(); err != nil || !scope.Transactions {
		return "", fmt.Errorf("the scope is %+v (%w)", scope, err)
	}
	return consent.ConsentId.String(), nil
}

func (c *client) ConsentStatus(ctx context.Context, consent string) (flow.Status, error) {
	res, err := c.api.GetConsentStatusWithResponse(ctx, uuid.MustParse(consent), nil)
	if err != nil {
		return flow.Status{}, err
	}
	s, err := answer(res.Status(), res.JSON200, res.Body, nil)
	if err != nil {
		return flow.Status{}, err
	}
	status := flow.Status{Status: string(s.Status), Poll: milliseconds(s.PollingInterval)}
	if s.AuthInstructions == nil {
		return status, nil
	}
	instructions, err := s.AuthInstructions.ValueByDiscriminator()
	if code, ok := instructions.(oapi.BankIdQrCode); ok && code.QrData != nil {
		status.QRData = *code.QrData
	}
	return status, err
}

func milliseconds(n *int32) time.Duration {
	if n == nil {
		return 0
	}
	return time.Duration(*n) * time.Millisecond
}

func (c *client) StartCollection(ctx context.Context, company, consent string) (string, error) {
	address := flow.IPAddress
	var stored oapi.CollectionParameter
	err := stored.FromStoredConsentParameter(oapi.StoredConsentParameter{ConsentId: uuid.MustParse(consent), PsuIpAddress: &address})
	if err != nil {
		return "", err
	}
	res, err := c.api.InitiateCollectionWithResponse(ctx, nil, oapi.InitiateCollectionRequest{Company: company,
		Parameters: &[]oapi.CollectionParameter{stored}})
	if err != nil {
		return "", err
	}
	collection, err := answer(res.Status(), res.JSON201, res.Body, nil)
	if err != nil {
		return "", err
	}
	return collection.Id.String(), nil
}

func (c *client) CollectionStatus(ctx context.Context, collection string) (flow.Status, error) {
	res, err := c.api.GetCollectionStatusWithResponse(ctx, uuid.MustParse(collection), nil)
	if err != nil {
		return flow.Status{}, err
	}
	s, err := answer(res.Status(), res.JSON200, res.Body, nil)
	if err != nil {
		return flow.Status{}, err
	}
	return flow.Status{Status: string(s.Status), Poll: milliseconds(s.PollingInterval)}, nil
}

func (c *client) Amounts(ctx context.Context, collection string) ([]string, error) {
	res, err := c.api.GetWealthDataWithResponse(ctx, uuid.MustParse(collection), nil)
	if err != nil {
		return nil, err
	}
	products, err := answer(res.Status(), res.JSON200, res.Body, nil)
	if err != nil {
		return nil, err
	}
	var all []string
	for _, product := range *products {
		value, err := product.ValueByDiscriminator()
		if err != nil {
			return nil, err
		}
		switch p := value.(type) {
		case oapi.Psd2CheckingAccount:
			all = append(all, amounts(p.AccountId, p.BookedBalance, p.AvailableBalance, p.Transactions)...)
		case oapi.Psd2SavingsAccount:
			all = append(all, amounts(p.AccountId, p.BookedBalance, p.AvailableBalance, p.Transactions)...)
		case oapi.Psd2CreditCard:
			all = append(all, amounts(p.AccountId, p.BookedBalance, p.AvailableBalance, p.Transactions)...)
		default:
			return nil, fmt.Errorf("a product of the type %T", value)
		}
	}
	return all, nil
}

func amounts(account string, booked, available *oapi.MonetaryAmount, rows *[]oapi.Psd2Transaction) []string {
	var all []string
	add := func(what string, m *oapi.MonetaryAmount) {
		if m != nil {
			all = append(all, flow.Amount(account, what, m.Amount, m.Currency))
		}
	}
	add("booked", booked)
	add("available", available)
	if rows != nil {
		for _, row := range *rows {
			add(*row.TransactionId, &row.Amount)
		}
	}
	return all
}

func (c *client) Revoke(ctx context.Context, consent string) (string, error) {
	res, err := c.api.RevokeConsentWithResponse(ctx, uuid.MustParse(consent), nil)
	if err != nil {
		return "", err
	}
	s, err := answer(res.Status(), res.JSON200, res.Body, nil)
	if err != nil {
		return "", err
	}
	return string(s.Status), nil
}
