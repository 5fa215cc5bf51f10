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
	"samla/internal/connect"
	"samla/internal/events"
	"samla/internal/fault"
	"samla/internal/feeds"
	"samla/internal/institution"
	"samla/internal/permissions"
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
	Visits       *permissions.Service
	Refresh      *refresh.Service
	Connect      *connect.Service
	Institutions institution.Institutions
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
		"getUser":                   {Serve: o.getUser, NotFound: fault.UserNotFound},
		"deleteUser":                {Serve: o.deleteUser, NotFound: fault.UserNotFound},
		"createSession":             {Serve: o.createSession, NotFound: fault.UserNotFound},
		"createPermissionLink":      {Serve: o.createPermissionLink, NotFound: fault.UserNotFound},
		"getConsentsByUser":         {Serve: o.consentsOfUser, NotFound: fault.UserNotFound},
		"getCollectionsByUser":      {Serve: o.collectionsOfUser, NotFound: fault.UserNotFound},
		"createConsent":             {Serve: o.createConsent},
		"getConsents":               {Serve: o.consents},
		"getConsentAccess":          {Serve: o.consentAccess, NotFound: fault.ConsentNotFound},
		"putRefreshPlan":            {Serve: o.putRefreshPlan, NotFound: fault.UserNotFound},
		"getRefreshPlan":            {Serve: o.refreshPlan, NotFound: fault.UserNotFound},
		"deleteRefreshPlan":         {Serve: o.deleteRefreshPlan, NotFound: fault.UserNotFound},
		"getConsentStatus":          {Serve: o.consentStatus, NotFound: fault.ConsentNotFound, LateUserCheck: true, OwnTimeout: true},
		"revokeConsent":             {Serve: o.revokeConsent, NotFound: fault.ConsentNotFound},
		"renewConsent":              {Serve: o.renewConsent, NotFound: fault.ConsentNotFound},
		"initiateCollection":        {Serve: o.startCollection},
		"getCollections":            {Serve: o.collections},
		"getCollectionStatus":       {Serve: o.shared.Status, NotFound: fault.CollectionNotFound, LateUserCheck: true, OwnTimeout: true},
		"getWealthCollectionStatus": {Serve: o.shared.Status, NotFound: fault.CollectionNotFound, LateUserCheck: true, OwnTimeout: true},
		"getWealthData":             {Serve: o.data, NotFound: fault.CollectionNotFound, LateUserCheck: true},
		"addSupplementInformation":  {Serve: o.shared.Supplement, NotFound: fault.CollectionNotFound},
		"deleteCollection":          {Serve: o.deleteCollection, NotFound: fault.CollectionNotFound},
		"cancelCollection":          {Serve: o.cancelCollection, NotFound: fault.CollectionNotFound},
		"getCompanyAvailability":    {Serve: o.availability},
		"getEvents":                 {Serve: o.listEvents},
		"getAccounts":               {Serve: o.accounts},
		"getAccountsByUser":         {Serve: o.accountsOfUser, NotFound: fault.UserNotFound},
		"mergeAccounts":             {Serve: o.mergeAccounts, NotFound: fault.AccountNotFound},
		"splitAccount":              {Serve: o.splitAccount, NotFound: fault.AccountNotFound},
		"deleteAccount":             {Serve: o.deleteAccount, NotFound: fault.AccountNotFound},
		"getAccountTransactions":    {Serve: o.accountTransactions, NotFound: fault.AccountNotFound},

		"createConnectLink": {Serve: o.createConnectLink},
		"getConnectLink":    {Serve: o.connectLink, NotFound: fault.ConnectLinkNotFound},

		"createWebhookEndpoint": {Serve: o.createWebhookEndpoint},
		"getWebhookEndpoints":   {Serve: o.webhookEndpoints},
		"updateWebhookEndpoint": {Serve: o.updateWebhookEndpoint, NotFound: fault.WebhookEndpointNotFound},
		"deleteWebhookEndpoint": {Serve: o.deleteWebhookEndpoint, NotFound: fault.WebhookEndpointNotFound},
		"rotateWebhookSecret":   {Serve: o.rotateWebhookSecret, NotFound: fault.WebhookEndpointNotFound},
		"pauseWebhookEndpoint":  {Serve: o.pauseWebhookEndpoint, NotFound: fault.WebhookEndpointNotFound},
		"resumeWebhookEndpoint": {Serve: o.resumeWebhookEndpoint, NotFound: fault.WebhookEndpointNotFound},
		"testWebhookEndpoint":   {Serve: o.testWebhookEndpoint, NotFound: fault.WebhookEndpointNotFound},
		"getWebhookDeliveries":  {Serve: o.webhookDeliveries, NotFound: fault.WebhookEndpointNotFound},
		"replayWebhookEvents":   {Serve: o.replayWebhookEvents, NotFound: fault.WebhookEndpointNotFound},
		"getWebhookReplay":      {Serve: o.webhookReplay, NotFound: fault.WebhookEndpointNotFound},
	}}, nil
}
