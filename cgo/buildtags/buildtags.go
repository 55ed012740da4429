// Package buildtags makes a build without the project's tags fail with words that say what
// to do. Without them it would ask for libraries that nothing needs, or link a slow x264.
package buildtags
