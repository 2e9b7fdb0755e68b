package samples

// Enlisted returns the length of the list of switches, including those that are gone.
func Enlisted() int {
	switches.mu.Lock()
	defer switches.mu.Unlock()
	return len(switches.list)
}
