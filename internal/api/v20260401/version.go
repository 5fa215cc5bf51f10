// Package v20260401 is version 2026-04-01 of the API: its OpenAPI document, the bodies
// and rules of its requests and answers, and an endpoint for each of its operations.
// The services do the work; package api has what all operations have in common.
package v20260401

import (
	_ "embed"
	"sync"

	"samla/internal/accounts"
	"samla/internal/api"
	"samla/internal/api/collections"
	"samla/internal/authorize"
	"samla/internal/clock"
	"samla/internal/collect"
	"samla/internal/company"
	"samla/internal/events"
	"samla/internal/feeds"
	"samla/internal/institution"
	"samla/internal/refresh"
	"samla/internal/users"
	"samla/internal/webhooks"
	"samla/internal/wire"
)

// Version is the value of the header Insurely-Version that selects this version
// (docs/reference/api.md 1.2).
const Version = "2026-04-01"

// The document is served to clients. The rules are an overlay over it, which only
// this server and its tests read (package wire).
var (
	//go:embed openapi.json
	document []byte
	//go:embed rules.json
	rules []byte
)

// Contract returns the compiled document. It compiles it once a process. An error
// means that the document or its rules are broken.
func Contract() (*wire.Contract, error) { return contract() }

var contract = sync.OnceValues(func() (*wire.Contract, error) { return wire.Load(document, rules) })

// Services do the work of the operations. All are required.
type Services struct {
	Users        *users.Service
	Consents     *authorize.Service
	Collections  *collect.Service
	Accounts     *accounts.Service
	Events       *events.List
	Transactions *feeds.Service
	Webhooks     *webhooks.Service
	Refresh      *refresh.Service
	Institutions institution.Set
	Health       *company.Health
	Clock        clock.Clock
}

// operations has a method for each operation.
type operations struct {
	Services
	shared collections.Operations
}

// New returns the version. An error means that the document is broken.
func New(s Services) (api.Version, error) {
	c, err := Contract()
	if err != nil {
		return api.Version{}, err
	}
	o := &operations{s, collections.Operations{Consents: s.Consents, Collections: s.Collections}}
	return api.Version{Contract: c, Endpoints: api.Endpoints{
		"createUser":                {Serve: o.createUser},
		"findUserByExternalId":      {Serve: o.findUser},
		"getUser":                   {Serve: o.getUser},
		"deleteUser":                {Serve: o.deleteUser},
		"createSession":             {Serve: o.createSession},
		"getConsentsByUser":         {Serve: o.consentsOfUser},
		"getCollectionsByUser":      {Serve: o.collectionsOfUser},
		"createConsent":             {Serve: o.createConsent},
		"getConsents":               {Serve: o.consents},
		"getConsentAccess":          {Serve: o.consentAccess},
		"putRefreshPlan":            {Serve: o.putRefreshPlan},
		"getRefreshPlan":            {Serve: o.refreshPlan},
		"deleteRefreshPlan":         {Serve: o.deleteRefreshPlan},
		"getConsentStatus":          {Serve: o.consentStatus, LateUserCheck: true, OwnTimeout: true},
		"revokeConsent":             {Serve: o.revokeConsent},
		"renewConsent":              {Serve: o.renewConsent},
		"initiateCollection":        {Serve: o.startCollection},
		"getCollections":            {Serve: o.collections},
		"getCollectionStatus":       {Serve: o.shared.Status, LateUserCheck: true, OwnTimeout: true},
		"getWealthCollectionStatus": {Serve: o.shared.Status, LateUserCheck: true, OwnTimeout: true},
		"getWealthData":             {Serve: o.data, LateUserCheck: true},
		"addSupplementInformation":  {Serve: o.shared.Supplement},
		"deleteCollection":          {Serve: o.deleteCollection},
		"cancelCollection":          {Serve: o.cancelCollection},
		"getCompanyAvailability":    {Serve: o.availability},
		"getEvents":                 {Serve: o.listEvents},
		"getAccounts":               {Serve: o.accounts},
		"getAccountsByUser":         {Serve: o.accountsOfUser},
		"mergeAccounts":             {Serve: o.mergeAccounts},
		"splitAccount":              {Serve: o.splitAccount},
		"deleteAccount":             {Serve: o.deleteAccount},
		"getAccountTransactions":    {Serve: o.accountTransactions},

		"createWebhookEndpoint": {Serve: o.createWebhookEndpoint},
		"getWebhookEndpoints":   {Serve: o.webhookEndpoints},
		"updateWebhookEndpoint": {Serve: o.updateWebhookEndpoint},
		"deleteWebhookEndpoint": {Serve: o.deleteWebhookEndpoint},
		"rotateWebhookSecret":   {Serve: o.rotateWebhookSecret},
		"pauseWebhookEndpoint":  {Serve: o.pauseWebhookEndpoint},
		"resumeWebhookEndpoint": {Serve: o.resumeWebhookEndpoint},
		"testWebhookEndpoint":   {Serve: o.testWebhookEndpoint},
		"getWebhookDeliveries":  {Serve: o.webhookDeliveries},
		"replayWebhookEvents":   {Serve: o.replayWebhookEvents},
		"getWebhookReplay":      {Serve: o.webhookReplay},
	}}, nil
}
