package spanlockprom

import (
	"fmt"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

// BenchmarkScrape measures what one scrape costs the program, without writing the response.
func BenchmarkScrape(b *testing.B) {
	for _, maps := range []int{1, 100} {
		for _, ranges := range []int{1_000, 1_000_000 / maps} {
			b.Run(fmt.Sprintf("maps=%d/ranges=%d", maps, ranges), func(b *testing.B) {
				var c Collector
				for i := range maps {
					c.Add(fmt.Sprint(i), filled(b, ranges, nil))
				}
				r := prometheus.NewRegistry()
				r.MustRegister(&c)
				b.ReportAllocs()
				b.ResetTimer()
				for range b.N {
					if _, err := r.Gather(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
	// The part of Stats.
	for _, ranges := range []int{1_000, 1_000_000} {
		b.Run(fmt.Sprintf("stats/ranges=%d", ranges), func(b *testing.B) {
			m := filled(b, ranges, nil)
			b.ResetTimer()
			for range b.N {
				m.Stats()
			}
		})
	}
}
