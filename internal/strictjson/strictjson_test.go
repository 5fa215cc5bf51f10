package strictjson_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"samla/internal/strictjson"
)

type common struct {
	Name string `json:"name"`
}

type inner struct {
	Wait strictjson.Duration `json:"wait,omitzero"`
	Flag *bool               `json:"flag,omitempty"`
}

type embedded struct {
	Key string `json:"key"`
}

type own struct {
	embedded
	Inner  inner             `json:"inner"`
	Count  int               `json:"count"`
	List   []inner           `json:"list"`
	Labels map[string]string `json:"labels"`
	Raw    json.RawMessage   `json:"raw"`
	hidden string
}

func TestDecode_FillsEveryTarget(t *testing.T) {
	var c common
	var o own
	faults := strictjson.Decode([]byte("\ufeff"+` {"name":"n","key":"k","inner":{"wait":"90s","flag":true},"count":-3,
		"list":[{},{"wait":"1m"}],"labels":{"a":"b"},"raw":[1,{"x":null}]} `), &c, &o)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	if c.Name != "n" || o.Key != "k" || time.Duration(o.Inner.Wait) != 90*time.Second || !*o.Inner.Flag || o.Count != -3 ||
		len(o.List) != 2 || o.Labels["a"] != "b" || string(o.Raw) != `[1,{"x":null}]` || o.hidden != "" {
		t.Errorf("got %+v %+v", c, o)
	}
}

func TestDecode_ReportsEveryFault(t *testing.T) {
	for name, c := range map[string]struct {
		text     string
		pointers []string
	}{
		"nothing":           {``, []string{""}},
		"broken":            {`{"name":`, []string{""}},
		"two values":        {`{} {}`, []string{""}},
		"not an object":     {`[]`, []string{""}},
		"null":              {`null`, []string{""}},
		"twice":             {`{"name":"a","name":"b"}`, []string{""}},
		"unknown":           {`{"names":"a"}`, []string{"/names"}},
		"other spelling":    {`{"Name":"a"}`, []string{"/Name"}},
		"not a member":      {`{"hidden":"a","embedded":{},"Embedded":{}}`, []string{"/Embedded", "/embedded", "/hidden"}},
		"escaped":           {`{"a/b~c":1}`, []string{"/a~1b~0c"}},
		"null member":       {`{"name":null,"raw":null,"inner":{"flag":null}}`, []string{"/inner/flag", "/name", "/raw"}},
		"wrong types":       {`{"name":1,"inner":[],"list":{},"labels":[],"count":"1","key":true}`, []string{"/count", "/inner", "/key", "/labels", "/list", "/name"}},
		"deep":              {`{"list":[{},{"flag":1},7],"labels":{"x y":2}}`, []string{"/labels/x y", "/list/1/flag", "/list/2"}},
		"fraction":          {`{"count":1.5}`, []string{"/count"}},
		"too large":         {`{"count":99999999999999999999}`, []string{"/count"}},
		"duration, number":  {`{"inner":{"wait":5}}`, []string{"/inner/wait"}},
		"duration, no unit": {`{"inner":{"wait":"5"}}`, []string{"/inner/wait"}},
	} {
		got, o := common{Name: "before"}, own{Count: 7}
		faults := strictjson.Decode([]byte(c.text), &got, &o)
		var found []string
		for _, f := range faults {
			found = append(found, f.Pointer)
			if f.Problem == "" {
				t.Errorf("%s: no problem told at %q", name, f.Pointer)
			}
		}
		if !slices.Equal(found, c.pointers) {
			t.Errorf("%s: got %q, want %q", name, found, c.pointers)
		}
		if got.Name != "before" || o.Count != 7 {
			t.Errorf("%s: a target was changed", name)
		}
	}
}

// A configuration holds keys of portals: no error repeats what was written.
func TestDecode_RepeatsNoValue(t *testing.T) {
	for _, text := range []string{
		`{"count":"hush"}`, `{"inner":{"wait":"hush"}}`, `{"labels":{"a":["hush"]}}`, `{"raw":"hush`, `{"name":"a"} hush`,
	} {
		faults := strictjson.Decode([]byte(text), &common{}, &own{})
		if len(faults) == 0 || strings.Contains(faults.Error(), "hush") {
			t.Errorf("%s: %v", text, faults)
		}
	}
}

func TestFaults_NameFileAndPointer(t *testing.T) {
	var faults strictjson.Faults
	if faults.Err() != nil {
		t.Error("no faults are an error")
	}
	faults.Add("/b", "is wrong")
	faults.Add("", "is wrong too")
	located := faults.Under("/a/0").In("f.json")
	if got := located.Error(); got != "f.json: /a/0/b: is wrong\nf.json: /a/0: is wrong too" {
		t.Errorf("got %s", got)
	}
	if got, want := located.Called("se-x").Error(), "f.json: /a/0/b (se-x): is wrong\nf.json: /a/0 (se-x): is wrong too"; got != want {
		t.Errorf("got %s", got)
	}
	if got := faults.Error(); got != "/b: is wrong\nis wrong too" {
		t.Errorf("the original was changed: %s", got)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"name":"n","inner":{"wait":"1s"},"list":[{}],"labels":{"a":"b"},"raw":1}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var c common
		var o own
		if len(strictjson.Decode(text, &c, &o)) > 0 {
			return
		}
		// What is accepted is what encoding/json understands, without anything left over.
		var all map[string]json.RawMessage
		if err := json.Unmarshal([]byte(strings.TrimPrefix(string(text), "\ufeff")), &all); err != nil {
			t.Error(err)
		}
	})
}
