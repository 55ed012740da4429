package web

import (
	"io/fs"
	"net/http"
	"net/http/httptest"
	"path"
	"regexp"
	"strings"
	"testing"
)

// server answers like the real one.
func server(options ...Option) http.Handler {
	mux := http.NewServeMux()
	Register(mux, options...)
	mux.HandleFunc("GET /{room}/embed.html", Embed)
	return mux
}

func get(t *testing.T, h http.Handler, url string, header ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, url, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func body(t *testing.T, resp *http.Response) string {
	t.Helper()
	var b strings.Builder
	if err := resp.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestAnswers(t *testing.T) {
	h := server()
	for _, test := range []struct {
		url    string
		status int
		mime   string
	}{
		{"/", 200, "text/html; charset=utf-8"},
		{"/?room=meeting&autojoin=1", 200, "text/html; charset=utf-8"},
		{"/meeting/embed.html", 200, "text/html; charset=utf-8"},
		{"/assets/embed.html", 200, "text/html; charset=utf-8"}, // a room may have any name
		{"/assets/js/main.js", 200, "text/javascript; charset=utf-8"},
		{"/assets/css/base.css", 200, "text/css; charset=utf-8"},
		{"/assets/img/icons.svg", 200, "image/svg+xml"},
		{"/assets/", 404, ""},
		{"/assets/js", 404, ""},
		{"/assets/js/nothing.js", 404, ""},
		{"/assets/js/..%2F..%2Fweb.go", 404, ""},
		{"/nothing", 404, ""},
	} {
		resp := get(t, h, test.url)
		if resp.StatusCode != test.status {
			t.Errorf("%s: status %d, want %d", test.url, resp.StatusCode, test.status)
			continue
		}
		if test.status != 200 {
			continue
		}
		if got := resp.Header.Get("Content-Type"); got != test.mime {
			t.Errorf("%s: Content-Type %q, want %q", test.url, got, test.mime)
		}
		if got := resp.Header.Get("X-Content-Type-Options"); got != "nosniff" {
			t.Errorf("%s: X-Content-Type-Options %q", test.url, got)
		}
		if got := resp.Header.Get("Cache-Control"); got != "no-cache" {
			t.Errorf("%s: Cache-Control %q", test.url, got)
		}
		again := get(t, h, test.url, "If-None-Match", resp.Header.Get("ETag"))
		if again.StatusCode != http.StatusNotModified {
			t.Errorf("%s: status %d with its own ETag %q", test.url, again.StatusCode, resp.Header.Get("ETag"))
		}
	}
}

func TestContentSecurityPolicy(t *testing.T) {
	h := server()
	for url, framed := range map[string]bool{"/": false, "/meeting/embed.html": true, "/assets/img/icons.svg": true} {
		csp := get(t, h, url).Header.Get("Content-Security-Policy")
		if !strings.HasPrefix(csp, "default-src 'self';") || strings.Contains(csp, "unsafe") {
			t.Errorf("%s: policy %q is not strict", url, csp)
		}
		if free := !strings.Contains(csp, "frame-ancestors"); free != framed {
			t.Errorf("%s: may be framed: %v, want %v", url, free, framed)
		}
	}
}

// TestEmbedEscapesTheRoom: the path comes from whoever made the link.
func TestEmbedEscapesTheRoom(t *testing.T) {
	page := body(t, get(t, server(), `/%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E/embed.html`))
	if strings.Contains(page, "<script>") {
		t.Error("a script came through the name of the room")
	}
	if page := body(t, get(t, server(), "/meeting/embed.html")); !strings.Contains(page, `data-room="meeting"`) {
		t.Error("the page does not know its room")
	}
}

func TestHTTPSPort(t *testing.T) {
	for _, test := range []struct {
		options []Option
		want    string
	}{
		{nil, `<meta name="https-port" content="">`},
		{[]Option{HTTPSPort("8443")}, `<meta name="https-port" content="8443">`},
	} {
		if page := body(t, get(t, server(test.options...), "/")); !strings.Contains(page, test.want) {
			t.Errorf("the page has no %s", test.want)
		}
	}
}

var (
	externalURL = regexp.MustCompile(`(?i)(https?:)?//[a-z0-9.-]+\.[a-z]{2,}[^\s"'<>` + "`]*")
	inline      = regexp.MustCompile(`(?i)<script(?:\s[^>]*)?>[^<]|<style|\sstyle=|\son[a-z]+=`)
	reference   = regexp.MustCompile(`(?:href|src)="(/[^"#]*)|(?:from|import) '(\./[^']+)'`)
)

// TestSelfContained looks into every file: nothing from other servers, nothing that the
// policy forbids, no reference to a file that is not there.
func TestSelfContained(t *testing.T) {
	h := server()
	err := fs.WalkDir(files, ".", func(p string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		raw, err := files.ReadFile(p)
		if err != nil {
			return err
		}
		text := string(raw)
		if types[path.Ext(p)] == "" {
			t.Errorf("%s: no media type", p)
		}
		for _, url := range externalURL.FindAllString(text, -1) {
			if !strings.HasPrefix(url, "http://www.w3.org/") {
				t.Errorf("%s: external %s", p, url)
			}
		}
		if path.Ext(p) == ".html" {
			for _, bad := range inline.FindAllString(text, -1) {
				t.Errorf("%s: inline %q, which the policy forbids", p, bad)
			}
		}
		for _, match := range reference.FindAllStringSubmatch(text, -1) {
			url := match[1]
			if match[2] != "" {
				url = path.Join("/", path.Dir(p), match[2])
			}
			if resp := get(t, h, url); resp.StatusCode != http.StatusOK {
				t.Errorf("%s: refers to %s, which answers %d", p, url, resp.StatusCode)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestSymbols: every icon that is used exists.
func TestSymbols(t *testing.T) {
	sprite, err := files.ReadFile("assets/img/icons.svg")
	if err != nil {
		t.Fatal(err)
	}
	pages, err := fs.Glob(files, "pages/*.html")
	if err != nil || len(pages) == 0 {
		t.Fatal("no pages", err)
	}
	used := regexp.MustCompile(`icons\.svg#([a-z-]+)`)
	for _, page := range pages {
		text, err := files.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range used.FindAllStringSubmatch(string(text), -1) {
			if !strings.Contains(string(sprite), `id="`+match[1]+`"`) {
				t.Errorf("%s: no icon %s", page, match[1])
			}
		}
	}
}
