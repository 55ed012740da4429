package rtc

import "net/http"

// cors lets pages of any origin use a handler. There are no cookies or other ambient
// credentials that a foreign page could ride on.
func cors(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Access-Control-Allow-Origin", "*")
		h.Set("Access-Control-Expose-Headers", "Location, ETag, Link, X-Sid, Accept-Post, Accept-Patch, Retry-After")
		next.ServeHTTP(w, r)
	})
}

// options answers OPTIONS, the preflight of CORS included, which never carries
// credentials.
func options(w http.ResponseWriter, methods string) {
	h := w.Header()
	h.Set("Allow", methods)
	h.Set("Access-Control-Allow-Methods", methods)
	h.Set("Access-Control-Allow-Headers", "Accept, Authorization, Content-Type, If-Match, X-Sid")
	h.Set("Access-Control-Max-Age", "86400")
	h.Set("Content-Length", "0")
	w.WriteHeader(http.StatusOK)
}
