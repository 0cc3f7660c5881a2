// int8 GEMM for ARMv8.6 with matrix products: s8 by s8, an 8x8 tile of 2x2 blocks, eight inputs an
// instruction.
#include "gemm_neon.h"

// Panel: [K/8][8 columns][8]. A register of sums holds two rows of two columns.
#define S64(x) vreinterpretq_s64_s8(x)
#define S8(x) vreinterpretq_s8_s64(x)

// Two columns, twice, as they lie in the sums.
#define TWICE(p, first) [=](int h, int param) INL_MEMBER { \
  return vreinterpretq_f32_f64(vld1q_dup_f64((const double *)(p + 8*param + first + 2*h))); }

template <int64_t MODE, int PAIRS> INL void finish(const gemm_args *g, int32x4_t (&acc)[PAIRS][4], int8_t *&c, const int8_t *&r) {
  const float *p = g->p;
  const int64_t ldc = g->ldc;
  int16x4_t from[PAIRS][2], low[PAIRS];
  if (MODE == RESIDUAL) {
    UNROLL for (int i = 0; i < PAIRS; i++) {
      int16x4_t upper = vreinterpret_s16_s8(vld1_s8(r)), lower = vreinterpret_s16_s8(vld1_s8(r + ldc));
      from[i][0] = vzip1_s16(upper, lower); from[i][1] = vzip2_s16(upper, lower);
      r += 2*ldc; HIDE(r);
    }
  }
  const ends<MODE> left(TWICE(p, 0));
  UNROLL for (int i = 0; i < PAIRS; i++) {
    if (i > 1) AFTER(low[i-2], acc[i][0]);
    low[i] = vreinterpret_s16_s8(vqmovn_s16(left(acc[i][0], acc[i][1], vreinterpret_s8_s16(from[i][0]))));
  }
  HIDE(p);   // the parameters of all columns at once would take too many registers
  const ends<MODE> right(TWICE(p, 4));
  UNROLL for (int i = 0; i < PAIRS; i++) {
    int16x4_t high = vreinterpret_s16_s8(vqmovn_s16(right(acc[i][2], acc[i][3], vreinterpret_s8_s16(from[i][1]))));
    vst1_s8(c, vreinterpret_s8_s16(vuzp1_s16(low[i], high)));
    vst1_s8(c + ldc, vreinterpret_s8_s16(vuzp2_s16(low[i], high)));
    c += 2*ldc; HIDE(c);
  }
}

template <int64_t MODE, int PAIRS> INL void tile(const gemm_args *g, const int8_t *a, int64_t lda, int8_t *&c, const int8_t *&r) {
  const int8_t *ap[2*PAIRS];
  UNROLL for (int i = 0; i < 2*PAIRS; i++) { ap[i] = a + i*lda; HIDE(ap[i]); }
  int32x4_t acc[PAIRS][4];
  UNROLL for (int j = 0; j < 4; j++) {
    int32x4_t bias = vreinterpretq_s32_s64(vld1q_dup_s64((const int64_t *)g->p + j));
    UNROLL for (int i = 0; i < PAIRS; i++) acc[i][j] = bias;
  }
  const int8_t *b = g->b;
  int64_t n = g->segments, at = 0;
#define STEP(X) \
  UNROLL for (int j = 0; j < 4; j++) { \
    int8x16_t bv = vld1q_s8(b); b += 16; \
    UNROLL for (int i = 0; i < PAIRS; i++) acc[i][j] = vmmlaq_s32(acc[i][j], X, bv); }
  for (;;) {
    PLAIN for (int64_t steps = g->k >> 1; steps; steps--) {
      int8x16_t lo[PAIRS], hi[PAIRS];
      UNROLL for (int i = 0; i < PAIRS; i++) {
        int8x16_t x = vld1q_s8(ap[2*i] + at), y = vld1q_s8(ap[2*i+1] + at);
        lo[i] = S8(vzip1q_s64(S64(x), S64(y))); hi[i] = S8(vzip2q_s64(S64(x), S64(y)));
      }
      at += 16;
      STEP(lo[i]) STEP(hi[i])
    }
    if (g->k & 1) {
      int8x16_t x[PAIRS];
      UNROLL for (int i = 0; i < PAIRS; i++) x[i] = vcombine_s8(vld1_s8(ap[2*i] + at), vld1_s8(ap[2*i+1] + at));
      at += 8;
      STEP(x[i])
    }
    if (--n == 0) break;
    at += g->skip;
  }
  finish<MODE, PAIRS>(g, acc, c, r);
}

template <int64_t MODE, int PAIRS> INL void gemm(const gemm_args *g) {
  rows<2*PAIRS>(g, [&](const int8_t *a, int64_t lda, int8_t *&c, const int8_t *&r) INL_MEMBER { tile<MODE, PAIRS>(g, a, lda, c, r); });
}
#define RUN(MODE) gemm<MODE, 4>(g)
KERNEL gemmI8MM8x8(const gemm_args *g) { BY_INT_MODE(RUN) }
