//go:build spanlockdebug

package mapfile

// Trapped returns how many mappings are kept without access.
func Trapped() int {
	trapped.Lock()
	defer trapped.Unlock()
	return len(trapped.list)
}
