// int8 GEMM for ARMv8.2 with dot products: s8 by s8, a 4x16 or 7x8 tile, four inputs an instruction.
#include "gemm_neon.h"

// Panel: [K/4][4*NV columns][4].
template <int64_t MODE, int MR, int NV> INL void finish(const gemm_args *g, int32x4_t (&acc)[MR][NV], int8_t *&c, const int8_t *&r) {
  const float *p = g->p;
  const int64_t ldc = g->ldc;
  if (MODE == FLOAT) {
    UNROLL for (int i = 0; i < MR; i++) {
      UNROLL for (int v = 0; v < NV; v++)
        vst1q_f32((float *)c + 4*v, vmulq_f32(vcvtq_f32_s32(acc[i][v]), vld1q_f32(p + 4*NV*MULTIPLIER + 4*v)));
      c += ldc;
    }
    return;
  }
  const int8_t *from[MR];
  int8x8_t low[MR];
  UNROLL for (int i = 0; i < MR; i++) { from[i] = r; r += ldc; }
  UNROLL for (int v = 0; v < NV; v += 2) {
    const ends<MODE> end(IN_ORDER(p, 4*NV, 4*v), SHORT_ZEROS(p, 4*NV, 4*v));
    UNROLL for (int i = 0; i < MR; i++) {
      if (NV > 2 && i > 1) AFTER(low[i-2], acc[i][v]);
      int8x8_t res = vdup_n_s8(0);
      if (MODE == RESIDUAL) res = vld1_s8(from[i] + 4*v);
      int16x8_t q = end(acc[i][v], acc[i][v+1], res);
      if (v + 2 < NV) {
        low[i] = vqmovn_s16(q);
        continue;
      }
      if (v == 0) vst1_s8(c, vqmovn_s16(q));
      else vst1q_s8(c, vqmovn_high_s16(low[i], q));
      c += ldc;
      HIDE(c);
    }
    HIDE(p);   // the parameters of 16 columns at once would take too many registers
  }
}

// 4*N inputs.
template <int N, int MR, int NV> INL void step(int32x4_t (&acc)[MR][NV], const int8_t *const (&a)[MR], int64_t &at, const int8_t *&b) {
  int8x16_t av[MR];
  UNROLL for (int i = 0; i < MR; i++) {
    const int8_t *x = a[i] + at;
    if (N == 4) av[i] = vld1q_s8(x);
    else if (N == 2) av[i] = vcombine_s8(vld1_s8(x), vdup_n_s8(0));
    else av[i] = vreinterpretq_s8_s32(vsetq_lane_s32(*(const int32_t *)x, vdupq_n_s32(0), 0));
  }
#define LANE(L) if (L < N) { \
    int8x16_t bv[NV]; \
    UNROLL for (int v = 0; v < NV; v++) bv[v] = vld1q_s8(b + 16*v); \
    b += 16*NV; \
    UNROLL for (int i = 0; i < MR; i++) \
      UNROLL for (int v = 0; v < NV; v++) acc[i][v] = vdotq_laneq_s32(acc[i][v], bv[v], av[i], L); }
  LANE(0) LANE(1) LANE(2) LANE(3)
  at += 4*N;
}

template <int64_t MODE, int MR, int NV> INL void tile(const gemm_args *g, const int8_t *a, int64_t lda, int8_t *&c, const int8_t *&r) {
  const int8_t *ap[MR];
  UNROLL for (int i = 0; i < MR; i++) { ap[i] = a + i*lda; HIDE(ap[i]); }
  int32x4_t acc[MR][NV];
  UNROLL for (int v = 0; v < NV; v++) {
    int32x4_t bias = vld1q_s32((const int32_t *)g->p + 4*v);
    UNROLL for (int i = 0; i < MR; i++) acc[i][v] = bias;
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
  finish<MODE, MR, NV>(g, acc, c, r);
}

template <int64_t MODE, int MR, int NV> INL void gemm(const gemm_args *g) {
  rows<MR>(g, [&](const int8_t *a, int64_t lda, int8_t *&c, const int8_t *&r) INL_MEMBER { tile<MODE, MR, NV>(g, a, lda, c, r); });
}
#define RUN4x16(MODE) gemm<MODE, 4, 4>(g)
#define RUN1x16(MODE) gemm<MODE, 1, 4>(g)
#define RUN7x8(MODE) gemm<MODE, 7, 2>(g)
#define RUN1x8(MODE) gemm<MODE, 1, 2>(g)
KERNEL gemmDotProd4x16(const gemm_args *g) { BY_INT_MODE(RUN4x16) }
KERNEL gemmDotProd1x16(const gemm_args *g) { BY_MODE(RUN1x16) }
KERNEL gemmDotProd7x8(const gemm_args *g) { BY_INT_MODE(RUN7x8) }
KERNEL gemmDotProd1x8(const gemm_args *g) { BY_MODE(RUN1x8) }
