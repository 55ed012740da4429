#ifndef SECTILE_H264DEC_H
#define SECTILE_H264DEC_H

#include <libavcodec/avcodec.h>
#include <stdint.h>

// How many pictures the caller can hold.
enum { DECODER_HELD = 16 };

typedef struct {
    AVCodecContext *ctx;
    int damaged; // the context must be made anew
    AVPacket *packet;
    AVBufferRef *input; // of the access unit, with padding; reused
    AVFrame *scratch;
    AVFrame *fresh; // decoded, not yet taken; without a buffer if there is none
    AVFrame *held[DECODER_HELD]; // the caller reads them; a ring
} decoder;

// Results of decoder_decode that are not libavcodec's.
enum {
    DECODER_DAMAGED = 1 - INT32_MAX,
    DECODER_FORMAT = 2 - INT32_MAX,
};

// decoder_new returns NULL if the memory or an H.264 decoder is missing.
decoder *decoder_new(void);

// decoder_decode returns 1 if fresh is new, 0 if there is no picture yet, else an error:
// one of the above or an AVERROR.
int decoder_decode(decoder *d, const uint8_t *data, int size);

// decoder_hold moves fresh, if there is one, to an empty place of the ring and returns
// that, else NULL.
const AVFrame *decoder_hold(decoder *d, int place);

// decoder_release empties a place of the ring.
void decoder_release(decoder *d, int place);

void decoder_free(decoder *d);

#endif
