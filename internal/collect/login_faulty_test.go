package collect_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"samla/internal/collect"
	"samla/internal/collection"
	"samla/internal/dialogue"
	"samla/internal/institution"
)

// No institution, however faulty, keeps a collection for ever: it ends in a documented
// status, with one effect for each answer of the person, whatever node makes the steps
// and whichever of them dies.
func TestLogin_EndsWhateverTheInstitutionSays(t *testing.T) {
	b := newLoginEnv(t)
	nodes := []*collect.Service{b.Service, b.node(b.Env.Node())}
	turns := func(n *int, label string, t *rapid.T) dialogue.Turn {
		*n++
		id := fmt.Sprint(*n)
		switch rapid.IntRange(0, 9).Draw(t, label) {
		case 0:
			return waiting("w" + id)
		case 1:
			return dialogue.Turn{ID: id, Wait: &dialogue.Wait{For: dialogue.Source}}
		case 2:
			return dialogue.Turn{ID: id, Wait: &dialogue.Wait{For: dialogue.EmailLink}}
		case 3:
			return code("the same question")
		case 4:
			return code("q" + id)
		case 5:
			return dialogue.Turn{ID: id, Ask: &dialogue.Ask{Question: "c" + id, Kind: dialogue.Contact, Inputs: []string{"EMAIL"}}}
		case 6:
			return dialogue.Turn{ID: id, Device: &dialogue.Device{Question: "d" + id, Request: dialogue.DeviceRequest{URL: "https://a.example/", Method: "GET"}}}
		case 7:
			return dialogue.Turn{ID: id}
		case 8:
			return dialogue.Turn{ID: id, Out: &dialogue.Out{Reason: dialogue.Locked}}
		}
		return in()
	}
	rapid.Check(t, func(t *rapid.T) {
		src := b.source
		n, accepted := 0, 0
		src.given = nil
		src.first, src.turn = turns(&n, "first", t), waiting("w")
		fail := func(institution.Verb, int) error {
			if rapid.IntRange(0, 4).Draw(t, "fails") > 0 {
				return nil
			}
			return &institution.Error{Kind: rapid.SampledFrom([]institution.ErrorKind{institution.Unreachable, institution.Busy,
				institution.MalformedResponse, institution.QuestionOver, institution.TurnNeeded, institution.SessionGone}).Draw(t, "kind"), HTTPStatus: 500}
		}
		src.fails, src.lost = fail, fail
		src.next = func(dialogue.Answer) dialogue.Turn { return turns(&n, "next", t) }
		c, err := b.Service.Start(b.Context(), b.request(), nil)
		if err != nil {
			t.Fatal(err)
		}
		started := b.Clock.Now()
		for steps := 0; !b.row(c.ID).Status.Terminal(); steps++ {
			if steps > 2000 {
				t.Fatalf("%s after %v", b.row(c.ID).Status, b.Clock.Now().Sub(started))
			}
			node := rapid.SampledFrom(nodes).Draw(t, "node")
			switch rapid.IntRange(0, 6).Draw(t, "event") {
			case 0:
				src.set(turns(&n, "turn", t))
			case 1:
				a := rapid.SampledFrom([]dialogue.Answer{{Code: "1"}, {Inputs: map[string]string{"EMAIL": "a"}}, {Response: &dialogue.DeviceResponse{}}}).Draw(t, "answer")
				if node.Supplement(b.Context(), b.owner(), c.ID, a) == nil {
					accepted++
				}
			case 2:
				if err := b.Run(b.Context(), node.HandleLogin, c.ID); err != nil {
					t.Fatal(err)
				}
			case 3:
				b.Clock.Advance(time.Duration(rapid.IntRange(1, 20).Draw(t, "seconds")) * time.Second)
				fallthrough
			case 4:
				view, _, err := node.Poll(b.Context(), b.owner(), c.ID)
				if err != nil || !slices.Contains(collection.Statuses(), view.Status) {
					t.Fatalf("%+v, %v", view, err)
				}
			default:
				node.StepLogin(b.Context(), c.ID)
			}
		}
		for _, node := range nodes {
			node.ForgetLogin(c.ID)
		}
		if len(src.given) > accepted {
			t.Fatalf("%d answers had an effect, %d were accepted", len(src.given), accepted)
		}
	})
}
