package schedule

// Object is the identity of something that tasks share, such as a word, a mutex or a
// parker, and is a field of it. The zero value is ready to use.
type Object struct {
	run     uint64 // the execution that the other fields belong to
	creator uint16 // 1 + the task that touched it first, 0 for the set-up
	ordinal uint16 // the number of objects that the creator had touched before
	readers uint32 // bit t: task t has announced a read
	writers uint32 // bit t: task t has announced a write
}

// Access says whether an operation reads or may write its object.
type Access bool

const (
	Read  Access = false
	Write Access = true
)

// A Blocker is something that a task may have to wait for. Ready may be called at any time
// and must change nothing.
type Blocker interface{ Ready() bool }

// Op is an operation that a task is about to execute.
type Op struct {
	What   string // for the trace, like "Uint64.Add"
	Object *Object
	Access Access

	Block Blocker         // nil if the operation does not wait
	Done  <-chan struct{} // ends the wait when closed; nil for never

	yields bool // a Gosched: a switch here is not a preemption
}

// enabled reports whether the operation can be executed now.
func (o *Op) enabled() bool {
	if o.Block == nil || o.Block.Ready() {
		return true
	}
	if o.Done == nil {
		return false
	}
	select {
	case <-o.Done:
		return true
	default:
		return false
	}
}

// conflicts reports whether the order of two operations can matter.
func (o *Op) conflicts(p *Op, cancelled *Object) bool {
	if o.Object != nil && o.Object == p.Object && (o.Access == Write || p.Access == Write) {
		return true
	}
	// A wait that a context can end reads all contexts; they are one object.
	if o.Done != nil && p.Object == cancelled && p.Access == Write {
		return true
	}
	return p.Done != nil && o.Object == cancelled && o.Access == Write
}
