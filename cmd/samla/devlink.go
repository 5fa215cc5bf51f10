package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"samla/internal/apiclient"
	"samla/internal/devserver"
)

// devUser is the user whose data the ready link of samla dev asks for.
const devUser = "samla-dev"

// devLinkLife is how long that link can be opened, in seconds.
const devLinkLife = 24 * 60 * 60

// devLink makes a link to the connect page, for a newcomer to open.
func devLink(ctx context.Context, l *devserver.Environment) (string, error) {
	c := &apiclient.Client{Base: l.Server.URL(), APIKey: l.APIKey, HTTP: http.DefaultClient}
	user, err := c.CreateUser(ctx, devUser)
	var problem *apiclient.Problem
	if errors.As(err, &problem) && problem.Code == "USER_EXISTS" {
		user, err = c.FindUser(ctx, devUser)
	}
	if err != nil {
		return "", err
	}
	answer, err := c.Send(ctx, http.MethodPost, "", "/connect-links", map[string]any{"userUuid": user.ID, "purpose": "try this page in the sandbox", "linkSeconds": devLinkLife})
	if err != nil {
		return "", err
	}
	var made struct {
		URL string `json:"url"`
	}
	err = json.Unmarshal(answer, &made)
	return made.URL, err
}
