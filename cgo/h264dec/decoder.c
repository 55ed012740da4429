#include "decoder.h"

#include <libavutil/log.h>
#include <string.h>

// renew makes a context in place of the one there is, if any. Pictures that are held stay.
static int renew(decoder *d)
{
    avcodec_free_context(&d->ctx);
    const AVCodec *codec = avcodec_find_decoder(AV_CODEC_ID_H264);
    if (!codec)
        return AVERROR_DECODER_NOT_FOUND;
    d->ctx = avcodec_alloc_context3(codec);
    if (!d->ctx)
        return AVERROR(ENOMEM);
    d->ctx->thread_count = 1;
    // Damaged pictures must come out, to be seen and refused: libavcodec would silently
    // hold them back. Its concealment stays on, because it is what finds missing slices.
    d->ctx->flags |= AV_CODEC_FLAG_LOW_DELAY | AV_CODEC_FLAG_OUTPUT_CORRUPT;
    int err = avcodec_open2(d->ctx, codec, NULL);
    d->damaged = err < 0;
    return err;
}

decoder *decoder_new(void)
{
    av_log_set_level(AV_LOG_QUIET); // errors are returned; the input is anybody's

    decoder *d = av_mallocz(sizeof *d);
    if (!d)
        return NULL;
    d->packet = av_packet_alloc();
    d->scratch = av_frame_alloc();
    d->fresh = av_frame_alloc();
    if (!d->packet || !d->scratch || !d->fresh)
        goto fail;
    for (int i = 0; i < DECODER_HELD; i++)
        if (!(d->held[i] = av_frame_alloc()))
            goto fail;
    if (renew(d) < 0)
        goto fail;
    return d;
fail:
    decoder_free(d);
    return NULL;
}

static int feed(decoder *d, const uint8_t *data, int size)
{
    int need = size + AV_INPUT_BUFFER_PADDING_SIZE;
    if (!d->input || d->input->size < need || !av_buffer_is_writable(d->input)) {
        av_buffer_unref(&d->input);
        d->input = av_buffer_alloc(need + need / 2);
        if (!d->input)
            return AVERROR(ENOMEM);
    }
    memcpy(d->input->data, data, size);
    memset(d->input->data + size, 0, AV_INPUT_BUFFER_PADDING_SIZE);
    d->packet->buf = d->input; // lent: libavcodec makes a reference of its own
    d->packet->data = d->input->data;
    d->packet->size = size;
    int ret = avcodec_send_packet(d->ctx, d->packet);
    d->packet->buf = NULL;
    d->packet->data = NULL;
    d->packet->size = 0;
    return ret;
}

static int check(const AVFrame *f)
{
    if (f->decode_error_flags || (f->flags & AV_FRAME_FLAG_CORRUPT))
        return DECODER_DAMAGED;
    if (f->format != AV_PIX_FMT_YUV420P && f->format != AV_PIX_FMT_YUVJ420P)
        return DECODER_FORMAT;
    if (f->linesize[0] < f->width || f->linesize[1] < (f->width + 1) / 2 || f->linesize[1] != f->linesize[2])
        return DECODER_FORMAT;
    return 0;
}

int decoder_decode(decoder *d, const uint8_t *data, int size)
{
    int got = 0;
    int err = 0;
    // Where a slice breaks off, libavcodec leaves the coefficients of the macroblock that it
    // was reading, and adds them to the first one that it reads next, be that of a keyframe:
    // what is predicted from it is wrong all over the picture. Only a new context is without
    // them; avcodec_flush_buffers leaves them, too.
    if (d->damaged && (err = renew(d)) < 0)
        return err;
    err = feed(d, data, size);
    // One access unit yields at most a few pictures or errors; then libavcodec wants more.
    for (int i = 0; i < 32; i++) {
        int ret = avcodec_receive_frame(d->ctx, d->scratch);
        if (ret == AVERROR(EAGAIN) || ret == AVERROR_EOF)
            break;
        if (ret >= 0)
            ret = check(d->scratch);
        if (ret < 0) {
            if (err >= 0)
                err = ret;
        } else {
            av_frame_unref(d->fresh);
            av_frame_move_ref(d->fresh, d->scratch);
            got = 1;
        }
        av_frame_unref(d->scratch);
    }
    if (err < 0) {
        d->damaged = 1;
        av_frame_unref(d->fresh);
        return err;
    }
    return got;
}

const AVFrame *decoder_hold(decoder *d, int place)
{
    if (!d->fresh->buf[0])
        return NULL;
    av_frame_move_ref(d->held[place], d->fresh);
    return d->held[place];
}

void decoder_release(decoder *d, int place)
{
    av_frame_unref(d->held[place]);
}

void decoder_free(decoder *d)
{
    for (int i = 0; i < DECODER_HELD; i++)
        av_frame_free(&d->held[i]);
    av_frame_free(&d->fresh);
    av_frame_free(&d->scratch);
    av_packet_free(&d->packet);
    avcodec_free_context(&d->ctx);
    av_buffer_unref(&d->input);
    av_free(d);
}
