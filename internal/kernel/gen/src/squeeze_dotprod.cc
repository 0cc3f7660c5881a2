// The layers between squeeze and excitation for ARMv8.2 with dot products.
#include "neon.h"
#include "gemm.h"

// One row of s16 inputs by s8 weights, float32 output: f32(bias + sum) * m. Panel: [K/4][16 columns][4],
// K in steps of 8. An input is 128*h + l with h and l of 8 bits: |x| <= 16383.
KERNEL wideDotProd1x16(const gemm_args *g) {
  const int16_t *a = (const int16_t *)g->a;
  const int8_t *b = g->b;
  const float *p = g->p;
  int32x4_t high[4], low[4];
  UNROLL for (int j = 0; j < 4; j++) { high[j] = vdupq_n_s32(0); low[j] = vld1q_s32((const int32_t *)p + 4*j); }
  int64_t k = g->k;
  PLAIN do {
    int16x8_t x = vld1q_s16(a);
    a += 8;
    int8x8_t h = vshrn_n_s16(x, 7), l = vand_s8(vmovn_s16(x), vdup_n_s8(127));
#define STEP(L) \
    UNROLL for (int j = 0; j < 4; j++) { \
      int8x16_t w = vld1q_s8(b + 64*L + 16*j); \
      high[j] = vdotq_lane_s32(high[j], w, h, L); \
      low[j] = vdotq_lane_s32(low[j], w, l, L); }
    STEP(0) STEP(1)
    b += 128;
  } while (--k);
  float *c = (float *)g->c;
  UNROLL for (int j = 0; j < 4; j++) {
    int32x4_t sum = vaddq_s32(low[j], vshlq_n_s32(high[j], 7));
    vst1q_f32(c + 4*j, vmulq_f32(vcvtq_f32_s32(sum), vld1q_f32(p + 16*MULTIPLIER + 4*j)));
  }
}
