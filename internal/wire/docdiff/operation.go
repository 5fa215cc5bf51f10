package docdiff

import (
	"slices"
	"strings"
)

var methods = []string{"get", "put", "post", "delete", "options", "head", "patch", "trace"}

func (c *comparer) paths(old, new object) {
	operations := func(paths object) object {
		all := object{}
		for path := range paths {
			for method, op := range child(paths, path) {
				if slices.Contains(methods, method) {
					all[strings.ToUpper(method)+" "+path] = op
				}
			}
		}
		return all
	}
	a, b := operations(old), operations(new)
	c.both(a, b, func(route string) string { return route }, true, false, func(route string) {
		c.operation(route, child(a, route), child(b, route))
	})
}

func (c *comparer) operation(route string, old, new object) {
	if old["operationId"] != new["operationId"] { // generated clients name a function after it
		c.report(true, route, "operationId is %v instead of %v", new["operationId"], old["operationId"])
	}
	c.security(route, list(old["security"]), list(new["security"]))
	c.parameters(route, old, new)
	c.requestBody(route, child(old, "requestBody"), child(new, "requestBody"))
	a, b := child(old, "responses"), child(new, "responses")
	for _, status := range keys(a, b) {
		where := route + " " + status
		switch {
		case b[status] == nil:
			c.report(true, where, "is removed")
		case a[status] == nil:
			c.report(status < "4", where, "is added") // a client may know one success
		default:
			c.response(where, child(a, status), child(b, status))
		}
	}
}

// security compares lists of alternatives. No alternative: anyone may call.
func (c *comparer) security(route string, old, new []any) {
	names := func(alternatives []any) object {
		all := object{}
		for _, a := range alternatives {
			if o, ok := a.(object); ok {
				all[strings.Join(keys(o, nil), "+")] = o
			}
		}
		return all
	}
	a, b := names(old), names(new)
	c.both(a, b, func(name string) string { return route + " credential " + name }, true, len(a) == 0, func(string) {})
}

func (c *comparer) parameters(route string, old, new object) {
	byName := func(root object, op object) object {
		all := object{}
		for _, p := range list(op["parameters"]) {
			o, ok := p.(object)
			if !ok {
				continue
			}
			o, _ = follow(root, o)
			in, _ := o["in"].(string)
			name, _ := o["name"].(string)
			if in == "header" {
				name = strings.ToLower(name)
			}
			all[in+" "+name] = o
		}
		return all
	}
	a, b := byName(c.old, old), byName(c.new, new)
	for _, name := range keys(a, b) {
		where := route + " parameter " + name
		was, is := child(a, name), child(b, name)
		switch {
		case is == nil:
			c.report(true, where, "is removed")
		case was == nil:
			c.report(is["required"] == true, where, "is added%s", map[bool]string{true: " and required"}[is["required"] == true])
		default:
			c.required(where, was["required"] == true, is["required"] == true, request)
			c.schema(where, child(was, "schema"), child(is, "schema"), request)
		}
	}
}

func (c *comparer) requestBody(route string, old, new object) {
	old, _ = follow(c.old, old)
	new, _ = follow(c.new, new)
	where := route + " body"
	switch {
	case len(old) == 0 && len(new) == 0:
		return
	case len(new) == 0:
		c.report(true, where, "is removed")
		return
	case len(old) == 0:
		c.report(new["required"] == true, where, "is added")
		return
	}
	c.required(where, old["required"] == true, new["required"] == true, request)
	c.content(where, child(old, "content"), child(new, "content"), request)
}

func (c *comparer) response(where string, old, new object) {
	old, _ = follow(c.old, old)
	new, _ = follow(c.new, new)
	a, b := child(old, "headers"), child(new, "headers")
	c.both(a, b, func(name string) string { return where + " header " + name }, true, false, func(name string) {
		was, _ := follow(c.old, child(a, name))
		is, _ := follow(c.new, child(b, name))
		c.required(where+" header "+name, was["required"] == true, is["required"] == true, response)
		c.schema(where+" header "+name, child(was, "schema"), child(is, "schema"), response)
	})
	c.content(where, child(old, "content"), child(new, "content"), response)
}

func (c *comparer) content(where string, old, new object, in direction) {
	c.both(old, new, func(media string) string { return where + " " + media }, true, in == response, func(media string) {
		c.schema(where, child(child(old, media), "schema"), child(child(new, media), "schema"), in)
	})
}
