#ifndef SECTILE_H264DEC_H
#define SECTILE_H264DEC_H

#include <libavcodec/avcodec.h>
#include <stdint.h>

typedef struct {
    AVCodecContext *ctx;
    AVPacket *packet;
    AVBufferRef *input; // of the access unit, with padding; reused
    AVFrame *scratch;
    AVFrame *fresh; // decoded, not yet taken; without a buffer if there is none
    AVFrame *taken; // the caller reads it
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

// decoder_take moves fresh, if any, to taken and returns taken.
const AVFrame *decoder_take(decoder *d);

void decoder_free(decoder *d);

#endif
