package samples

// Enlisted returns how long the list of switches is, with those that are gone.
func Enlisted() int {
	switches.mu.Lock()
	defer switches.mu.Unlock()
	return len(switches.list)
}
