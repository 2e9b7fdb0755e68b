package browser

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// patience is how long anything may take on a busy machine.
const patience = 30 * time.Second

// A tab is one page in a Chromium of its own. It is driven by the DevTools protocol over
// two pipes (--remote-debugging-pipe): JSON messages, each followed by a zero byte.
type tab struct {
	t       *testing.T
	to      io.Writer
	session string
	replies chan reply

	mu       sync.Mutex
	lastID   int
	faults   []string // what the console, the log and exceptions said
	requests []string // the URLs that were requested
	loads    chan struct{}
}

// reply is the answer to a command.
type reply struct {
	ID     int             `json:"id"`
	Result json.RawMessage `json:"result"`
	Error  json.RawMessage `json:"error"`
}

// newTab starts a browser.
func newTab(t *testing.T) *tab {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if p, err := exec.LookPath(name); err == nil {
			path = p
			break
		}
	}
	if path == "" {
		if os.Getenv("BROWSER") == "required" {
			t.Fatal("no chromium in PATH")
		}
		t.Skip("no chromium in PATH")
	}
	fromUs, toBrowser, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	fromBrowser, toUs, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd := exec.Command(path, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
		"--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
		"--user-data-dir="+t.TempDir(), "--remote-debugging-pipe", "about:blank")
	cmd.ExtraFiles = []*os.File{fromUs, toUs} // the browser's descriptors 3 and 4
	cmd.Stderr = &stderr
	cmd.WaitDelay = patience
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	fromUs.Close()
	toUs.Close()
	b := &tab{t: t, to: toBrowser, replies: make(chan reply, 16), loads: make(chan struct{}, 16)}
	done := make(chan struct{})
	go func() { defer close(done); b.listen(fromBrowser) }()
	t.Cleanup(func() {
		fmt.Fprintf(toBrowser, `{"id":1000000,"method":"Browser.close"}`+"\x00")
		stop := time.AfterFunc(patience, func() { cmd.Process.Kill() })
		cmd.Wait()
		stop.Stop()
		toBrowser.Close()
		fromBrowser.Close()
		<-done
		if t.Failed() {
			t.Logf("chromium said:\n%s", stderr.String())
		}
	})
	var target struct{ TargetID string }
	b.command("Target.createTarget", map[string]any{"url": "about:blank"}, &target)
	var attached struct{ SessionID string }
	b.command("Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &attached)
	b.session = attached.SessionID
	for _, domain := range []string{"Page", "Runtime", "Log", "Network"} {
		b.command(domain+".enable", nil, nil)
	}
	return b
}

// listen reads the browser's messages and sorts them.
func (b *tab) listen(r io.Reader) {
	in := bufio.NewReader(r)
	for {
		text, err := in.ReadBytes(0)
		if err != nil {
			return
		}
		var m struct {
			reply
			Method string
			Params struct {
				Type    string
				Entry   struct{ Level, Text, URL string }
				Request struct{ URL string }
			}
		}
		text = bytes.TrimSuffix(text, []byte{0})
		if err := json.Unmarshal(text, &m); err != nil {
			b.note("cannot read " + string(text))
			continue
		}
		switch m.Method {
		case "":
			b.replies <- m.reply
		case "Runtime.exceptionThrown":
			b.note(string(text))
		case "Runtime.consoleAPICalled":
			if m.Params.Type == "error" || m.Params.Type == "warning" || m.Params.Type == "assert" {
				b.note(string(text))
			}
		case "Log.entryAdded":
			if m.Params.Entry.Level == "error" || m.Params.Entry.Level == "warning" {
				b.note(m.Params.Entry.Text + " " + m.Params.Entry.URL)
			}
		case "Network.requestWillBeSent":
			b.mu.Lock()
			b.requests = append(b.requests, m.Params.Request.URL)
			b.mu.Unlock()
		case "Page.loadEventFired":
			b.loads <- struct{}{}
		}
	}
}

func (b *tab) note(fault string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.faults = append(b.faults, fault)
}

// command sends a command and waits for its answer.
func (b *tab) command(method string, params any, result any) {
	b.t.Helper()
	b.lastID++
	m := map[string]any{"id": b.lastID, "method": method}
	if params != nil {
		m["params"] = params
	}
	if b.session != "" {
		m["sessionId"] = b.session
	}
	text, err := json.Marshal(m)
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := b.to.Write(append(text, 0)); err != nil {
		b.t.Fatalf("%s: %v", method, err)
	}
	select {
	case r := <-b.replies:
		if r.ID != b.lastID || r.Error != nil {
			b.t.Fatalf("%s: %d, %s", method, r.ID, r.Error)
		}
		if result != nil {
			if err := json.Unmarshal(r.Result, result); err != nil {
				b.t.Fatalf("%s: %v", method, err)
			}
		}
	case <-time.After(patience):
		b.t.Fatalf("%s: no answer", method)
	}
}

// open loads a page.
func (b *tab) open(url string) {
	b.t.Helper()
	var r struct{ ErrorText string }
	b.command("Page.navigate", map[string]any{"url": url}, &r)
	if r.ErrorText != "" {
		b.t.Fatalf("%s: %s", url, r.ErrorText)
	}
	select {
	case <-b.loads:
	case <-time.After(patience):
		b.t.Fatalf("%s does not load", url)
	}
}

// eval returns the value of an expression, decoded from JSON.
func (b *tab) eval(expression string) any {
	b.t.Helper()
	var r struct {
		Result           struct{ Value any }
		ExceptionDetails json.RawMessage
	}
	b.command("Runtime.evaluate", map[string]any{"expression": expression, "returnByValue": true}, &r)
	if r.ExceptionDetails != nil {
		b.t.Fatalf("%s: %s", expression, r.ExceptionDetails)
	}
	return r.Result.Value
}

// until waits until an expression is true.
func (b *tab) until(expression string) {
	b.t.Helper()
	for end := time.Now().Add(patience); b.eval(expression) != true; {
		if time.Now().After(end) {
			b.t.Fatalf("this never became true: %s\n%v\n%v", expression, b.eval("location.href"), b.eval("document.body.innerText"))
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// size sets the size of the window and the colour scheme.
func (b *tab) size(width, height int, scheme string) {
	b.t.Helper()
	b.command("Emulation.setDeviceMetricsOverride", map[string]any{
		"width": width, "height": height, "deviceScaleFactor": 2, "mobile": width < 500}, nil)
	b.command("Emulation.setEmulatedMedia", map[string]any{
		"features": []any{map[string]any{"name": "prefers-color-scheme", "value": scheme}}}, nil)
}

// mouse does one thing with the left button.
func (b *tab) mouse(what string, x, y float64) {
	b.t.Helper()
	b.command("Input.dispatchMouseEvent", map[string]any{
		"type": what, "x": x, "y": y, "button": "left", "buttons": 1, "clickCount": 1}, nil)
}

// key presses a key.
func (b *tab) key(key string) {
	b.t.Helper()
	b.command("Input.dispatchKeyEvent", map[string]any{"type": "keyDown", "key": key, "text": key}, nil)
	b.command("Input.dispatchKeyEvent", map[string]any{"type": "keyUp", "key": key}, nil)
}

// shot saves a screenshot if SHOTS is set.
func (b *tab) shot(name string) {
	b.t.Helper()
	dir := os.Getenv("SHOTS")
	if dir == "" {
		return
	}
	var r struct{ Data string }
	b.command("Page.captureScreenshot", map[string]any{"format": "png"}, &r)
	png, err := base64.StdEncoding.DecodeString(r.Data)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, name+".png"), png, 0o666)
	}
	if err != nil {
		b.t.Fatal(err)
	}
}

// clean fails the test if the console has shown any message, or if there was a request to
// another host.
func (b *tab) clean(origin string) {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, f := range b.faults {
		b.t.Errorf("in the console: %s", f)
	}
	own := 0
	for _, u := range b.requests {
		switch {
		case len(u) >= len(origin) && u[:len(origin)] == origin:
			own++
		case len(u) >= 5 && u[:5] == "data:", u == "about:blank":
		default:
			b.t.Errorf("a request for %s", u)
		}
	}
	if own == 0 {
		b.t.Error("no request was seen at all")
	}
}
