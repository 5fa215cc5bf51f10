package product

import "reflect"

// Person returns where a product has its personal information, or nil if it has no such
// member, as an *Other.
func Person(p Product) **PersonalInformation {
	of := reflect.ValueOf(p).Elem()
	s := shapeOf(of.Type())
	for i := range s.members {
		if at, is := of.FieldByIndex(s.members[i].index).Addr().Interface().(**PersonalInformation); is {
			return at
		}
	}
	return nil
}
