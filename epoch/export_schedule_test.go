//go:build schedule

package epoch

// Epoch returns the epoch.
func (d *Domain) Epoch() uint64 { return d.ready().epoch.Load() }
