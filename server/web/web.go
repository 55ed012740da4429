// Package web holds the two pages of the server, the demo and the viewer of a room, with
// everything that they load. Nothing is built, and nothing comes from another server.
package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"
)

//go:embed pages assets
var files embed.FS

// types are the media types by extension. The system's own table is not used: some
// systems call scripts text/plain, which browsers then refuse as modules.
var types = map[string]string{
	".css":  "text/css; charset=utf-8",
	".html": "text/html; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".svg":  "image/svg+xml",
}

// The policy of both pages: everything comes from this server. Styles set by scripts
// through the CSSOM are not inline styles; blob: is for media a script made itself.
const policy = "default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; " +
	"object-src 'none'; base-uri 'none'; form-action 'self'"

var templates = sync.OnceValue(func() *template.Template {
	return template.Must(template.ParseFS(files, "pages/*.html"))
})

// An Option changes the demo page.
type Option func(*demo)

// demo is what the demo page's template reads.
type demo struct {
	HTTPSPort string
}

// HTTPSPort tells the demo at which port this server also answers https. Browsers give
// camera and microphone to secure pages only; the demo then links to the page there.
func HTTPSPort(port string) Option {
	return func(d *demo) { d.HTTPSPort = port }
}

// Register has mux serve the demo page at / and what the pages load below /assets/. The
// patterns are so narrow that they leave /{room}/embed.html to the caller, for a room of
// any name.
func Register(mux *http.ServeMux, options ...Option) {
	var d demo
	for _, option := range options {
		option(&d)
	}
	index := render("index.html", d)
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		// A page that may use the camera must not be framed by another.
		w.Header().Set("Content-Security-Policy", policy+"; frame-ancestors 'none'")
		w.Header().Set("Permissions-Policy", "camera=(self), microphone=(self)")
		index.serve(w, r)
	})
	assets := loadAssets()
	for _, folder := range []string{"css", "img", "js"} {
		mux.HandleFunc("GET /assets/"+folder+"/{file}", func(w http.ResponseWriter, r *http.Request) {
			f, ok := assets[folder+"/"+r.PathValue("file")]
			if !ok {
				http.NotFound(w, r)
				return
			}
			// Of use for SVG opened by itself, which may run scripts.
			w.Header().Set("Content-Security-Policy", policy)
			f.serve(w, r)
		})
	}
}

// Handler serves what Register registers; anything else is 404.
func Handler(options ...Option) http.Handler {
	mux := http.NewServeMux()
	Register(mux, options...)
	return mux
}

// Embed serves the viewer of the room that the path value "room" names. Whether there is
// such a room is the caller's business: the page says so if not, and keeps trying. Any
// site may frame it.
func Embed(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Security-Policy", policy)
	render("embed.html", struct{ Room string }{r.PathValue("room")}).serve(w, r)
}

// file is what one URL answers.
type file struct {
	name string // of the base, for its extension
	body []byte
	etag string
}

func newFile(name string, body []byte) file {
	sum := sha256.Sum256(body)
	return file{path.Base(name), body, `"` + hex.EncodeToString(sum[:12]) + `"`}
}

// render fills in a page. It panics on errors: both pages are part of the program.
func render(name string, data any) file {
	var b bytes.Buffer
	if err := templates().ExecuteTemplate(&b, name, data); err != nil {
		panic(fmt.Sprintf("web: page %s: %v", name, err))
	}
	return newFile(name, b.Bytes())
}

// loadAssets returns all assets by their path below /assets/.
var loadAssets = sync.OnceValue(func() map[string]file {
	assets := map[string]file{}
	err := fs.WalkDir(files, "assets", func(p string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		body, err := files.ReadFile(p)
		if err != nil {
			return err
		}
		assets[strings.TrimPrefix(p, "assets/")] = newFile(p, body)
		return nil
	})
	if err != nil {
		panic(fmt.Sprintf("web: assets: %v", err))
	}
	return assets
})

// serve answers with the file. Browsers ask again each time, which costs a 304: a page
// must not run with a script of the version before.
func (f file) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", types[path.Ext(f.name)])
	h.Set("ETag", f.etag)
	h.Set("Cache-Control", "no-cache")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	http.ServeContent(w, r, f.name, time.Time{}, bytes.NewReader(f.body))
}
