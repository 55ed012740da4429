// Package video measures a mosaic of the engine beside the same made by ffmpeg: the same
// files through both, and what they cost and look like. It needs ffmpeg, Debian's
// opencv-doc for its films, and the build tag bench, so that no ordinary build does.
// make bench-video runs it.
package video
