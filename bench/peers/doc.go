// Package peers measures the kernels of asm beside what they compete with: libyuv, and
// plain C loops as gcc vectorises them. Everything in it needs cgo, libyuv's headers and
// the build tag peers, so that no ordinary build does. make bench-kernels runs it.
package peers
