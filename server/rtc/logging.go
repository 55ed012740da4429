package rtc

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/pion/logging"
)

// pionLog makes pion log at debug level, whatever level pion itself gives a message:
// most of its warnings are what any peer on the Internet can cause at will.
type pionLog struct{ log *slog.Logger }

// NewLogger implements logging.LoggerFactory.
func (p pionLog) NewLogger(scope string) logging.LeveledLogger {
	return pionLogger{p.log.With("pion", scope)}
}

type pionLogger struct{ log *slog.Logger }

func (p pionLogger) print(msg string) { p.log.Debug(msg) }

func (p pionLogger) printf(format string, args ...any) {
	if p.log.Enabled(context.Background(), slog.LevelDebug) {
		p.log.Debug(fmt.Sprintf(format, args...))
	}
}

func (p pionLogger) Trace(string)                      {}
func (p pionLogger) Tracef(string, ...any)             {}
func (p pionLogger) Debug(string)                      {}
func (p pionLogger) Debugf(string, ...any)             {}
func (p pionLogger) Info(msg string)                   { p.print(msg) }
func (p pionLogger) Infof(format string, args ...any)  { p.printf(format, args...) }
func (p pionLogger) Warn(msg string)                   { p.print(msg) }
func (p pionLogger) Warnf(format string, args ...any)  { p.printf(format, args...) }
func (p pionLogger) Error(msg string)                  { p.print(msg) }
func (p pionLogger) Errorf(format string, args ...any) { p.printf(format, args...) }
