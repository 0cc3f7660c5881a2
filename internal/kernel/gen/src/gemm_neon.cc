// int8 GEMM for every ARMv8: s8 inputs by s8 weights in [-127, 127], a 4x4 tile, 16 inputs deep.
#include "gemm_neon.h"

// Panel: [K/16][4 columns][16], and [4 columns][8] if K is an odd multiple of 8.

template <int64_t MODE, int MR> INL void finish(const gemm_args *g, int32x4_t (&s)[4], int8_t *&c, const int8_t *&r) {
  const float *p = g->p;
  const int64_t ldc = g->ldc;
  if (MODE == FLOAT) {
    UNROLL for (int i = 0; i < MR; i++) {
      vst1q_f32((float *)c, vmulq_f32(vcvtq_f32_s32(s[i]), vld1q_f32(p + 4*MULTIPLIER)));
      c += ldc;
    }
    return;
  }
  // Eight at a time are two rows.
  const ends<MODE> end([&](int, int param) INL_MEMBER { return vld1q_f32(p + 4*param); }, SHORT_ZEROS(p, 4, 0));
  int32x4_t from = vdupq_n_s32(0);
  if (MODE == RESIDUAL) {
    from = vld1q_lane_s32((const int32_t *)r, from, 0); r += ldc;
    if (MR > 1) { from = vld1q_lane_s32((const int32_t *)r, from, 1); r += ldc; }
    if (MR > 2) { from = vld1q_lane_s32((const int32_t *)r, from, 2); r += ldc; }
    if (MR > 3) { from = vld1q_lane_s32((const int32_t *)r, from, 3); r += ldc; }
  }
  int8x16_t res = vreinterpretq_s8_s32(from);
  int8x8_t low = vqmovn_s16(end(s[0], s[MR > 1], vget_low_s8(res)));
  if (MR == 1) {
    vst1_lane_s32((int32_t *)c, vreinterpret_s32_s8(low), 0); c += ldc;
    return;
  }
  int32x4_t q = vreinterpretq_s32_s8(vqmovn_high_s16(low, end(s[2], s[3], vget_high_s8(res))));
  vst1q_lane_s32((int32_t *)c, q, 0); c += ldc;
  vst1q_lane_s32((int32_t *)c, q, 1); c += ldc;
  vst1q_lane_s32((int32_t *)c, q, 2); c += ldc;
  vst1q_lane_s32((int32_t *)c, q, 3); c += ldc;
}

// Sixteen inputs; FIRST starts the sums. Stage by stage: a result is used 2*MR instructions later, for
// cores that work in order.
template <bool FIRST, int MR> INL void step16(int32x4_t (&acc)[MR][4], const int8_t *const (&a)[MR], int64_t &at, const int8_t *&b) {
  int8x16_t av[MR];
  UNROLL for (int i = 0; i < MR; i++) av[i] = vld1q_s8(a[i] + at);
  UNROLL for (int j = 0; j < 4; j += 2) {
    int8x16_t bv[2];
    int16x8_t p[2][MR];
    UNROLL for (int d = 0; d < 2; d++) bv[d] = vld1q_s8(b + 16*(j+d));
    UNROLL for (int d = 0; d < 2; d++) UNROLL for (int i = 0; i < MR; i++) p[d][i] = vmull_s8(vget_low_s8(av[i]), vget_low_s8(bv[d]));
    UNROLL for (int d = 0; d < 2; d++) UNROLL for (int i = 0; i < MR; i++) p[d][i] = vmlal_high_s8(p[d][i], av[i], bv[d]);   // at most 2*128*127
    UNROLL for (int d = 0; d < 2; d++) UNROLL for (int i = 0; i < MR; i++)
      acc[i][j+d] = FIRST ? vpaddlq_s16(p[d][i]) : vpadalq_s16(acc[i][j+d], p[d][i]);
  }
  b += 64; at += 16;
}

template <int MR> INL void step8(int32x4_t (&acc)[MR][4], const int8_t *const (&a)[MR], int64_t &at, const int8_t *&b) {
  int8x8_t av[MR];
  UNROLL for (int i = 0; i < MR; i++) av[i] = vld1_s8(a[i] + at);
  UNROLL for (int j = 0; j < 4; j++) {
    int8x8_t bv = vld1_s8(b + 8*j);
    int16x8_t p[MR];
    UNROLL for (int i = 0; i < MR; i++) p[i] = vmull_s8(av[i], bv);
    UNROLL for (int i = 0; i < MR; i++) acc[i][j] = vpadalq_s16(acc[i][j], p[i]);
  }
  b += 32; at += 8;
}

template <int64_t MODE, int MR> INL void tile(const gemm_args *g, const int8_t *a, int64_t lda, int8_t *&c, const int8_t *&r) {
  const int8_t *ap[MR];
  UNROLL for (int i = 0; i < MR; i++) { ap[i] = a + i*lda; HIDE(ap[i]); }
  int32x4_t acc[MR][4];
  const int8_t *b = g->b;
  int64_t n = g->segments, steps = g->k >> 1, at = 0;
  if (steps) {
    step16<true>(acc, ap, at, b);
    steps--;
  } else {
    UNROLL for (int i = 0; i < MR; i++) UNROLL for (int j = 0; j < 4; j++) acc[i][j] = vdupq_n_s32(0);
  }
  for (;;) {
    PLAIN for (; steps; steps--) step16<false>(acc, ap, at, b);
    if (g->k & 1) step8(acc, ap, at, b);
    if (--n == 0) break;
    at += g->skip;
    steps = g->k >> 1;
  }
  const int32x4_t bias = vld1q_s32((const int32_t *)g->p);
  int32x4_t s[4];
  UNROLL for (int i = 0; i < 4; i++)
    if (i < MR) s[i] = vaddq_s32(vpaddq_s32(vpaddq_s32(acc[i][0], acc[i][1]), vpaddq_s32(acc[i][2], acc[i][3])), bias);
  finish<MODE, MR>(g, s, c, r);
}

template <int64_t MODE, int MR> INL void gemm(const gemm_args *g) {
  rows<MR>(g, [&](const int8_t *a, int64_t lda, int8_t *&c, const int8_t *&r) INL_MEMBER { tile<MODE, MR>(g, a, lda, c, r); });
}
#define RUN4(MODE) gemm<MODE, 4>(g)
#define RUN1(MODE) gemm<MODE, 1>(g)
KERNEL gemmNEON4x4(const gemm_args *g) { BY_INT_MODE(RUN4) }
KERNEL gemmNEON1x4(const gemm_args *g) { BY_MODE(RUN1) }
