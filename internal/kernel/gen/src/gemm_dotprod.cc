// int8 GEMM for ARMv8.2 with dot products: s8 by s8, a 7x8 tile, four inputs an instruction.
#include "gemm_neon.h"

// Panel: [K/4][8 columns][4].
template <int64_t MODE, int MR> INL void finish(const gemm_args *g, int32x4_t (&acc)[MR][2], int8_t *&c, const int8_t *&r) {
  const float *p = g->p;
  const int64_t ldc = g->ldc;
  if (MODE == FLOAT) {
    UNROLL for (int i = 0; i < MR; i++) {
      UNROLL for (int h = 0; h < 2; h++)
        vst1q_f32((float *)c + 4*h, vmulq_f32(vcvtq_f32_s32(acc[i][h]), vld1q_f32(p + 8*MULTIPLIER + 4*h)));
      c += ldc;
    }
    return;
  }
  const ends<MODE> end(IN_ORDER(p, 8, 0));
  UNROLL for (int i = 0; i < MR; i++) {
    int8x8_t from = vdup_n_s8(0);
    if (MODE == RESIDUAL) from = vld1_s8(r);
    vst1_s8(c, vqmovn_s16(end(acc[i][0], acc[i][1], from)));
    c += ldc; r += ldc;
    HIDE(c); HIDE(r);
  }
}

// 4*N inputs.
template <int N, int MR> INL void step(int32x4_t (&acc)[MR][2], const int8_t *const (&a)[MR], int64_t &at, const int8_t *&b) {
  int8x16_t av[MR];
  UNROLL for (int i = 0; i < MR; i++) {
    const int8_t *x = a[i] + at;
    if (N == 4) av[i] = vld1q_s8(x);
    else if (N == 2) av[i] = vcombine_s8(vld1_s8(x), vdup_n_s8(0));
    else av[i] = vreinterpretq_s8_s32(vsetq_lane_s32(*(const int32_t *)x, vdupq_n_s32(0), 0));
  }
#define LANE(L) if (L < N) { \
    int8x16_t b0 = vld1q_s8(b), b1 = vld1q_s8(b + 16); b += 32; \
    UNROLL for (int i = 0; i < MR; i++) { \
      acc[i][0] = vdotq_laneq_s32(acc[i][0], b0, av[i], L); \
      acc[i][1] = vdotq_laneq_s32(acc[i][1], b1, av[i], L); } }
  LANE(0) LANE(1) LANE(2) LANE(3)
  at += 4*N;
}

template <int64_t MODE, int MR> INL void tile(const gemm_args *g, const int8_t *a, int64_t lda, int8_t *&c, const int8_t *&r) {
  const int8_t *ap[MR];
  UNROLL for (int i = 0; i < MR; i++) { ap[i] = a + i*lda; HIDE(ap[i]); }
  int32x4_t acc[MR][2];
  UNROLL for (int j = 0; j < 2; j++) {
    int32x4_t bias = vld1q_s32((const int32_t *)g->p + 4*j);
    UNROLL for (int i = 0; i < MR; i++) acc[i][j] = bias;
  }
  const int8_t *b = g->b;
  int64_t n = g->segments, at = 0;
  for (;;) {
    PLAIN for (int64_t steps = g->k >> 2; steps; steps--) step<4>(acc, ap, at, b);
    if (g->k & 2) step<2>(acc, ap, at, b);
    if (g->k & 1) step<1>(acc, ap, at, b);
    if (--n == 0) break;
    at += g->skip;
  }
  finish<MODE, MR>(g, acc, c, r);
}

template <int64_t MODE, int MR> INL void gemm(const gemm_args *g) {
  rows<MR>(g, [&](const int8_t *a, int64_t lda, int8_t *&c, const int8_t *&r) INL_MEMBER { tile<MODE, MR>(g, a, lda, c, r); });
}
#define RUN7(MODE) gemm<MODE, 7>(g)
#define RUN1(MODE) gemm<MODE, 1>(g)
KERNEL gemmDotProd7x8(const gemm_args *g) { BY_INT_MODE(RUN7) }
KERNEL gemmDotProd1x8(const gemm_args *g) { BY_MODE(RUN1) }
