#include <stdint.h>

// All functions do their work reps times, for the cost of the call from Go not to count.

void loop_sum(int32_t *total, const int16_t *const *srcs, int inputs, int n, long reps);
void loop_mix_minus(int32_t *dst, const int32_t *total, const int16_t *own, int n, long reps);
uint32_t loop_peak_total(const int32_t *total, int n, long reps);
void loop_ramp(int16_t *dst, const int32_t *total, float from, float step, int n, long reps);
void loop_saturate(int16_t *dst, const int32_t *total, int n, long reps);
void loop_gain(int16_t *dst, const int16_t *src, int32_t gain, int n, long reps);
int loop_peak(const int16_t *src, int n, long reps);
uint64_t loop_energy(const int16_t *src, int n, long reps);
void loop_blend(uint8_t *dst, const uint8_t *alpha, uint8_t colour, int n, long reps);

// Reads inputs of bytes each, stride apart, and keeps nothing of them.
void loop_read(const uint8_t *src, long stride, int inputs, long bytes, long reps);

struct picture {
	uint8_t *y, *u, *v;
	int y_stride, c_stride, width, height;
};

int yuv_scale(struct picture dst, struct picture src, int filter, long reps);
int yuv_copy(struct picture dst, struct picture src, long reps);
