// Package config reads what the server is told: command line, environment and a file in
// Flussonic's syntax. Each overrides what comes after it.
package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"sectile/engine/room"
)

// Config is everything that serve needs to know. All of it has been checked.
type Config struct {
	HTTP         string       // listen address host:port
	HTTPS        string       // the same, or "": off
	TLSCert      string       // file, or "": self-signed
	TLSKey       string       // file; "" exactly when TLSCert is
	RTC          string       // UDP listen address host:port
	RTCAddresses []netip.Addr // announced in candidates; nil: those of the interfaces
	Data         string       // directory, or "": nothing is kept
	EditUser     string       // of the control API; "": no credentials
	EditPass     string
	// TrustedProxies are peers whose X-Forwarded-For is believed; nil: none.
	TrustedProxies []netip.Prefix

	MaxLoad   float64 // above which new sessions are refused; 0: never
	LogFormat string  // "text" or "json"
	LogLevel  string  // "debug", "info", "warn" or "error"
	Rooms     []Room
	Streams   []string // that can be published without being in a room
}

// Room is a room that the file declares.
type Room struct {
	Name    string
	Options room.Options
}

// Default is what holds when nothing is said.
func Default() Config {
	return Config{HTTP: ":8080", RTC: ":8189", MaxLoad: 0.85, LogFormat: "text", LogLevel: "info"}
}

// setting is one of Config's values, the same on the command line and in the file.
type setting struct {
	wants  string // its values, for messages
	values int    // how many; 0: one or more
	set    func(c *Config, values []string) error
	clear  func(c *Config) // for an empty flag or variable; nil: cannot be empty
}

// settings are named as in the file; a flag has dashes instead of underscores.
var settings = map[string]setting{
	"http":     address(func(c *Config) *string { return &c.HTTP }, false),
	"https":    address(func(c *Config) *string { return &c.HTTPS }, true),
	"rtc":      address(func(c *Config) *string { return &c.RTC }, false),
	"tls_cert": path("FILE", func(c *Config) *string { return &c.TLSCert }),
	"tls_key":  path("FILE", func(c *Config) *string { return &c.TLSKey }),
	"data":     path("DIR", func(c *Config) *string { return &c.Data }),
	"log_format": oneOf(func(c *Config) *string { return &c.LogFormat },
		"text", "json"),
	"log_level": oneOf(func(c *Config) *string { return &c.LogLevel },
		"debug", "info", "warn", "error"),
	"max_load": {wants: "a number from 0 to 1", values: 1, set: setMaxLoad},
	"rtc_address": {wants: "IP,IP,…", set: setRTCAddresses,
		clear: func(c *Config) { c.RTCAddresses = nil }},
	"trusted_proxies": {wants: "CIDR,CIDR,…", set: setTrustedProxies,
		clear: func(c *Config) { c.TrustedProxies = nil }},
	"edit_auth": {wants: "USER PASS", values: 2, set: setEditAuth,
		clear: func(c *Config) { c.EditUser, c.EditPass = "", "" }},
}

// address is an address to listen at.
func address(field func(*Config) *string, off bool) setting {
	s := setting{wants: "ADDR:PORT or PORT", values: 1, set: func(c *Config, values []string) (err error) {
		*field(c), err = listenAddress(values[0])
		return err
	}}
	if off {
		s.clear = func(c *Config) { *field(c) = "" }
	}
	return s
}

// path is the name of a file or directory.
func path(wants string, field func(*Config) *string) setting {
	return setting{wants: wants, values: 1,
		set:   func(c *Config, values []string) error { *field(c) = values[0]; return nil },
		clear: func(c *Config) { *field(c) = "" },
	}
}

func oneOf(field func(*Config) *string, accepted ...string) setting {
	wants := strings.Join(accepted, ", ")
	return setting{wants: wants, values: 1, set: func(c *Config, values []string) error {
		if !slices.Contains(accepted, values[0]) {
			return fmt.Errorf("%.80q is not accepted, only %s", values[0], wants)
		}
		*field(c) = values[0]
		return nil
	}}
}

// apply checks and sets the values of s.
func (s setting) apply(c *Config, values []string) error {
	if len(values) == 0 || s.values > 0 && len(values) != s.values {
		return fmt.Errorf("wants %s, got %d values", s.wants, len(values))
	}
	if slices.Contains(values, "") {
		return fmt.Errorf("wants %s, got an empty value", s.wants)
	}
	return s.set(c, values)
}

// listenAddress checks ADDR:PORT; a port alone, as Flussonic has it, is :PORT.
func listenAddress(text string) (string, error) {
	addr := text
	if !strings.Contains(text, ":") {
		addr = ":" + text
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return "", fmt.Errorf("%.80q is no ADDR:PORT or PORT", text)
	}
	if strings.ContainsFunc(host, func(r rune) bool { return r <= ' ' || r == '/' || r > '~' }) {
		return "", fmt.Errorf("%.80q has no valid address", text)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return "", fmt.Errorf("%.80q: want a port from 0 to 65535", text)
	}
	return addr, nil
}

func setRTCAddresses(c *Config, values []string) error {
	var list []netip.Addr
	for _, text := range elements(values) {
		ip, err := netip.ParseAddr(text)
		switch {
		case err != nil || ip.Zone() != "":
			return fmt.Errorf("%.80q is no IP address", text)
		case ip.IsUnspecified() || ip.IsMulticast():
			return fmt.Errorf("%s cannot be announced: no client can send to it", ip)
		}
		if ip = ip.Unmap(); !slices.Contains(list, ip) {
			list = append(list, ip)
		}
	}
	if list == nil {
		return errors.New("wants at least one IP address")
	}
	c.RTCAddresses = list
	return nil
}

// elements are those of lists with commas or spaces between them.
func elements(values []string) []string {
	return strings.FieldsFunc(strings.Join(values, ","), func(r rune) bool { return r == ',' || r == ' ' })
}

// setTrustedProxies takes single addresses, too.
func setTrustedProxies(c *Config, values []string) error {
	var list []netip.Prefix
	for _, text := range elements(values) {
		prefix, err := netip.ParsePrefix(text)
		if ip, single := netip.ParseAddr(text); single == nil && ip.Zone() == "" {
			prefix, err = netip.PrefixFrom(ip, ip.BitLen()), nil
		}
		if err != nil {
			return fmt.Errorf("%.80q is no network (ADDR/BITS) or IP address", text)
		}
		if ip := prefix.Addr(); ip.Is4In6() && prefix.Bits() >= 96 { // clients' are unmapped
			prefix = netip.PrefixFrom(ip.Unmap(), prefix.Bits()-96)
		}
		if prefix = prefix.Masked(); !slices.Contains(list, prefix) {
			list = append(list, prefix)
		}
	}
	if list == nil {
		return errors.New("wants at least one network")
	}
	c.TrustedProxies = list
	return nil
}

// setMaxLoad takes 1 for never, too.
func setMaxLoad(c *Config, values []string) error {
	max, err := strconv.ParseFloat(values[0], 64)
	if err != nil || !(max >= 0 && max <= 1) { // nor NaN
		return fmt.Errorf("%.80q is not accepted, only 0 to 1", values[0])
	}
	if max == 1 {
		max = 0
	}
	c.MaxLoad = max
	return nil
}

func setEditAuth(c *Config, values []string) error {
	if strings.Contains(values[0], ":") {
		return errors.New("the user name cannot have a colon (RFC 7617, 2)")
	}
	c.EditUser, c.EditPass = values[0], values[1]
	return nil
}
