package seam

// wake leaves a wake-up in c, a Parker's channel, which has room for one.
func wake(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default: // one is already there, and one is enough
	}
}

// park takes the wake-up from c, and reports true. It reports false if done is closed and
// there is no wake-up.
func park(c, done <-chan struct{}) bool {
	if done == nil {
		<-c
		return true
	}
	select {
	case <-c:
		return true
	case <-done:
		select {
		case <-c:
			return true
		default:
			return false
		}
	}
}
