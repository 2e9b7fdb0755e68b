//go:build spanlockdebug

package mapfile

// Trapped returns how many mappings are kept inaccessible.
func Trapped() int {
	trapped.Lock()
	defer trapped.Unlock()
	return len(trapped.list)
}
