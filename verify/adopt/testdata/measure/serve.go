package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
	"time"
)

// This file is in the measure command of each program.

// A request is for one piece of work. The answer to it is a list of numbers, or {"Err": text}.
type request struct {
	Job string        // a key of jobs
	G   int           // how many goroutines
	For time.Duration // how long
}

type answer struct {
	Values []float64
	Err    string `json:",omitempty"`
}

// serve answers the requests on the lines of the input, one after the other, by jobs.
func (b *bench) serve() error {
	in, out := bufio.NewScanner(os.Stdin), json.NewEncoder(os.Stdout)
	for in.Scan() {
		var r request
		var a answer
		err := json.Unmarshal(in.Bytes(), &r)
		if job := jobs[r.Job]; err == nil && job != nil {
			runtime.GC() // so that this job does not pay for the garbage of earlier ones
			a.Values, err = job(b, r)
		} else if err == nil {
			err = fmt.Errorf("no job %q", r.Job)
		}
		if err != nil {
			a.Err = err.Error()
		}
		if err := out.Encode(a); err != nil {
			return err
		}
	}
	return in.Err()
}

// rate runs f in r.G goroutines until r.For is over, and returns the time divided by the number
// of all calls together, in nanoseconds. f gets the number of the goroutine and that of its call.
func (r request) rate(f func(g int, i uint64) error) ([]float64, error) {
	var wg sync.WaitGroup
	var mu sync.Mutex
	var errs error
	total := uint64(0)
	start := time.Now()
	for g := range r.G {
		wg.Go(func() {
			i := uint64(0)
			var err error
			for i%16 != 0 || time.Since(start) < r.For {
				if err = f(g, i); err != nil {
					break
				}
				i++
			}
			mu.Lock()
			defer mu.Unlock()
			total += i
			errs = errors.Join(errs, err)
		})
	}
	wg.Wait()
	return []float64{float64(time.Since(start)) / float64(max(total, 1))}, errs
}
