//go:build peers

#include <stdlib.h>
#include <string.h>
#include <libyuv.h>
#include "loops.h"

// Between two repetitions all memory may have changed, so none is left out.
#define REPEAT for (; reps > 0; reps--, ({ __asm__ volatile("" ::: "memory"); }))

static int16_t sat16(int32_t v) { return v < -32768 ? -32768 : v > 32767 ? 32767 : v; }

static void add(int32_t *restrict total, const int16_t *restrict src, int n) {
	for (int i = 0; i < n; i++)
		total[i] += src[i];
}

void loop_sum(int32_t *total, const int16_t *const *srcs, int inputs, int n, long reps) {
	REPEAT {
		memset(total, 0, n * sizeof *total);
		for (int k = 0; k < inputs; k++)
			add(total, srcs[k], n);
	}
}

void loop_mix_minus(int32_t *restrict dst, const int32_t *restrict total, const int16_t *restrict own, int n, long reps) {
	REPEAT for (int i = 0; i < n; i++)
		dst[i] = total[i] - own[i];
}

uint32_t loop_peak_total(const int32_t *total, int n, long reps) {
	uint32_t peak = 0;
	REPEAT {
		peak = 0;
		for (int i = 0; i < n; i++) {
			uint32_t v = total[i] < 0 ? -(uint32_t)total[i] : total[i];
			peak = v > peak ? v : peak;
		}
		__asm__ volatile("" : "+r"(peak));
	}
	return peak;
}

void loop_ramp(int16_t *restrict dst, const int32_t *restrict total, float from, float step, int n, long reps) {
	REPEAT for (int i = 0; i < n; i++) {
		float gain = from + (float)i * step, v = (float)total[i] * gain;
		v = v < 32767.0f ? v : 32767.0f;
		v = v > -32768.0f ? v : -32768.0f;
		dst[i] = (int16_t)__builtin_rintf(v);
	}
}

void loop_saturate(int16_t *restrict dst, const int32_t *restrict total, int n, long reps) {
	REPEAT for (int i = 0; i < n; i++)
		dst[i] = sat16(total[i]);
}

void loop_gain(int16_t *restrict dst, const int16_t *restrict src, int32_t gain, int n, long reps) {
	REPEAT for (int i = 0; i < n; i++)
		dst[i] = sat16((src[i] * gain + 2048) >> 12);
}

int loop_peak(const int16_t *src, int n, long reps) {
	int peak = 0;
	REPEAT {
		peak = 0;
		for (int i = 0; i < n; i++)
			peak = abs(src[i]) > peak ? abs(src[i]) : peak;
		__asm__ volatile("" : "+r"(peak));
	}
	return peak;
}

uint64_t loop_energy(const int16_t *src, int n, long reps) {
	uint64_t e = 0;
	REPEAT {
		e = 0;
		for (int i = 0; i < n; i++)
			e += (int64_t)src[i] * src[i];
		__asm__ volatile("" : "+r"(e));
	}
	return e;
}

void loop_blend(uint8_t *restrict dst, const uint8_t *restrict alpha, uint8_t colour, int n, long reps) {
	REPEAT for (int i = 0; i < n; i++) {
		int t = dst[i] * (255 - alpha[i]) + colour * alpha[i] + 128;
		dst[i] = (t + (t >> 8)) >> 8;
	}
}

typedef uint8_t vector __attribute__((vector_size(64), aligned(1)));

void loop_read(const uint8_t *src, long stride, int inputs, long bytes, long reps) {
	REPEAT for (int k = 0; k < inputs; k++) {
		const uint8_t *s = src + k * stride;
		for (long i = 0; i < bytes; i += 128) {
			vector a = *(const vector *)(s + i), b = *(const vector *)(s + i + 64);
			__asm__ volatile("" ::"v"(a), "v"(b));
		}
	}
}

int yuv_scale(struct picture d, struct picture s, int filter, long reps) {
	int err = 0;
	REPEAT err |= I420Scale(s.y, s.y_stride, s.u, s.c_stride, s.v, s.c_stride, s.width, s.height,
		d.y, d.y_stride, d.u, d.c_stride, d.v, d.c_stride, d.width, d.height, filter);
	return err;
}

int yuv_copy(struct picture d, struct picture s, long reps) {
	int err = 0;
	REPEAT err |= I420Copy(s.y, s.y_stride, s.u, s.c_stride, s.v, s.c_stride,
		d.y, d.y_stride, d.u, d.c_stride, d.v, d.c_stride, s.width, s.height);
	return err;
}
