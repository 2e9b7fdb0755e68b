package rangelock_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"

	"github.com/spanlock/spanlock/rangelock"
)

// The last network of the address space has no address behind it that could be its Hi, so it is a
// range without an end. From leaves no key out, where Span up to the largest key leaves out that one.
func ExampleFrom() {
	ports := rangelock.New[uint16, string](nil)
	w := ports.Lock()
	err := errors.Join(
		w.Insert(rangelock.Span[uint16](0, 1024), "system"),
		w.Insert(rangelock.From[uint16](49152), "dynamic"),
	)
	if err != nil {
		fmt.Println(err)
	}
	w.Unlock()
	fmt.Println(ports.GetRange(65535))
	fmt.Println(rangelock.Contains(rangelock.Span[uint16](49152, 65535), 65535))
	// Output:
	// [49152, ∞) dynamic true
	// false
}

// Each tenant has the keys that begin with its name. The map compares bytes, so it needs NewFunc; it
// keeps the slices that it is given, so they must not be changed.
func ExamplePrefixBytes() {
	tenants := rangelock.NewFunc[[]byte, int](bytes.Compare, nil)
	for shard, name := range []string{"acme/", "zoo/"} {
		if err := tenants.Insert(context.Background(), rangelock.PrefixBytes([]byte(name)), shard); err != nil {
			fmt.Println(err)
		}
	}
	fmt.Println(tenants.GetRange([]byte("acme/invoices/7")))
	_, ok := tenants.Get([]byte("acme0"))
	fmt.Println("acme0 has a tenant:", ok)
	// Output:
	// ["acme/", "acme0") 0 true
	// acme0 has a tenant: false
}

// A table of IP networks, IPv4 and IPv6 in one. Ranges do not overlap, so a network within another one
// is Put after it, and cuts its place out of it.
func ExampleNewFunc_addresses() {
	nets := rangelock.NewFunc[netip.Addr, string](netip.Addr.Compare, nil)
	span := func(first, behind string) rangelock.Range[netip.Addr] {
		return rangelock.Span(netip.MustParseAddr(first), netip.MustParseAddr(behind))
	}
	w := nets.Lock()
	err := errors.Join(
		w.Put(span("10.0.0.0", "11.0.0.0"), "office"),
		w.Put(span("10.7.0.0", "10.8.0.0"), "lab"),
		w.Put(span("2001:db8::", "2001:db9::"), "office"),
	)
	if err != nil {
		fmt.Println(err)
	}
	w.Unlock()
	for _, addr := range []string{"10.7.0.1", "10.8.0.0", "2001:db8::1", "192.0.2.1"} {
		fmt.Println(nets.GetRange(netip.MustParseAddr(addr)))
	}
	// Output:
	// [10.7.0.0, 10.8.0.0) lab true
	// [10.8.0.0, 11.0.0.0) office true
	// [2001:db8::, 2001:db9::) office true
	// [invalid IP, invalid IP)  false
}
