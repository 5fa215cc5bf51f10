package samla

import (
	"context"
	"errors"
	"net/http"

	"github.com/google/uuid"
)

// AnswerQuestion hands over an answer to a question of a collection. An answer to a
// question that is over is refused with SUPPLEMENT_NOT_EXPECTED.
func (c *Client) AnswerQuestion(ctx context.Context, collection uuid.UUID, q Question, a Answer) error {
	var in SupplementInformation
	var err error
	switch {
	case a.Choice != "":
		err = in.FromTwoFactorChoice(TwoFactorChoice{Value: a.Choice, QuestionId: optional(q.ID)})
	case a.Values != nil:
		err = in.FromCollectionInput(CollectionInput{Values: a.Values, QuestionId: optional(q.ID)})
	default:
		err = in.FromTwoFactorCode(TwoFactorCode{Value: a.Code, QuestionId: optional(q.ID)})
	}
	if err != nil {
		return err
	}
	return c.AddSupplementInformation(ctx, collection, in)
}

// isOver reports whether an answer was refused because its question is over: the next
// status says what follows.
func isOver(err error) bool {
	var p *Problem
	return errors.As(err, &p) && p.Document.Status == http.StatusConflict
}
