package config

import (
	"strings"

	"github.com/alecthomas/participle/v2"
	"github.com/alecthomas/participle/v2/lexer"
)

// The file is a list of statements: words that end with a semicolon or with a block of
// such statements. The grammar takes what is broken, too (strays, missing ends): whoever
// walks the tree can say better what is wrong, and in which line, than a parser that
// stops at the next token.

// tokens: a quoted part of a word may have spaces, semicolons, braces and, after a
// backslash, quotes and backslashes. It ends on its line, so that a forgotten quote is
// reported where it is. A # starts a comment only where a word could start.
var tokens = lexer.MustStateful(lexer.Rules{
	"Root": {
		{Name: "space", Pattern: `\s+`},
		{Name: "comment", Pattern: `#[^\n]*`},
		{Name: "Punct", Pattern: `[{};]`},
		{Name: "Word", Pattern: `(?:[^\s{};"#]|"(?:[^"\\\n]|\\[^\n])*")(?:[^\s{};"]|"(?:[^"\\\n]|\\[^\n])*")*`},
		{Name: "Open", Pattern: `"[^\n]*`},
	},
})

var parser = participle.MustBuild[tree](participle.Lexer(tokens))

type tree struct {
	Statements []*statement `parser:"@@*"`
}

// statement is either Words with what follows them, or a stray token. Block and End are
// both missing when the statement does not end.
type statement struct {
	Pos   lexer.Position
	Words []*word `parser:"( @@+"`
	Block *block  `parser:"( @@"`
	End   bool    `parser:"| @';' )?"`
	Stray string  `parser:"| @( ';' | '{' | '}' ) )"`
}

type block struct {
	Pos    lexer.Position
	Lines  []*line `parser:"'{' @@*"`
	Closed bool    `parser:"@'}'?"`
}

// line is a statement in a block. Blocks do not nest, which also bounds the recursion.
type line struct {
	Pos   lexer.Position
	Words []*word `parser:"( @@+"`
	End   bool    `parser:"@';'?"`
	Stray string  `parser:"| @( ';' | '{' ) )"`
}

type word struct {
	Pos  lexer.Position
	Raw  string `parser:"( @Word"`
	Open string `parser:"| @Open )"` // a quote without its partner and the rest of the line
}

// text is the word without its quotes.
func (w *word) text() string {
	if !strings.Contains(w.Raw, `"`) {
		return w.Raw
	}
	var b strings.Builder
	quoted := false
	for i := 0; i < len(w.Raw); i++ {
		c := w.Raw[i]
		switch {
		case c == '"':
			quoted = !quoted
			continue
		case quoted && c == '\\' && (w.Raw[i+1] == '"' || w.Raw[i+1] == '\\'):
			i++
			c = w.Raw[i]
		}
		b.WriteByte(c)
	}
	return b.String()
}
