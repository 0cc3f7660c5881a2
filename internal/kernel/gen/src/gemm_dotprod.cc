// int8 GEMM for ARMv8.2 with dot products: s8 by s8, a 7x8 tile, four inputs an instruction.
#include "neon.h"
#include "gemm.h"

// Panel: [K/4][8 columns][4].
template <int64_t MODE, int MR> INL void finish(const gemm_args *g, int32x4_t (&acc)[MR][2], int8_t *c, const int8_t *r) {
  const float *p = g->p;
  const int64_t ldc = g->ldc;
  UNROLL for (int i = 0; i < MR; i++) {
    HIDE(p); HIDE(c); HIDE(r);
    finish8<MODE>(acc[i][0], acc[i][1], p, c, r);
    c += ldc; r += ldc;
  }
}

template <int MR> INL void tile(const gemm_args *g, const int8_t *a, int8_t *c, const int8_t *r) {
  HIDE(g);
  const int64_t lda = g->lda;
  const int8_t *ap[MR];
  UNROLL for (int i = 0; i < MR; i++) ap[i] = a + i*lda;
  int32x4_t acc[MR][2];
  UNROLL for (int j = 0; j < 2; j++) {
    int32x4_t bias = vld1q_s32((const int32_t *)g->p + 4*j);
    UNROLL for (int i = 0; i < MR; i++) acc[i][j] = bias;
  }
  const int8_t *b = g->b;
  int64_t n = g->segments;
  do {
    int64_t k = g->k >> 2;
    if (k) do {
      int8x16_t av[MR];
      UNROLL for (int i = 0; i < MR; i++) { HIDE(ap[i]); av[i] = vld1q_s8(ap[i]); ap[i] += 16; }
#define STEP(L) { \
      int8x16_t b0 = vld1q_s8(b), b1 = vld1q_s8(b + 16); b += 32; \
      UNROLL for (int i = 0; i < MR; i++) { \
        acc[i][0] = vdotq_laneq_s32(acc[i][0], b0, av[i], L); \
        acc[i][1] = vdotq_laneq_s32(acc[i][1], b1, av[i], L); } }
      STEP(0) STEP(1) STEP(2) STEP(3)
    } while (--k);
    k = g->k & 3;
    if (k) do {
      int8x16_t b0 = vld1q_s8(b), b1 = vld1q_s8(b + 16); b += 32;
      UNROLL for (int i = 0; i < MR; i++) {
        HIDE(ap[i]);
        int8x16_t av = vreinterpretq_s8_s32(vld1q_dup_s32((const int32_t *)ap[i])); ap[i] += 4;
        acc[i][0] = vdotq_s32(acc[i][0], b0, av);
        acc[i][1] = vdotq_s32(acc[i][1], b1, av);
      }
    } while (--k);
    UNROLL for (int i = 0; i < MR; i++) { HIDE(ap[i]); ap[i] += g->skip; }
  } while (--n);
  HIDE(g);
#define FINISH(MODE) finish<MODE, MR>(g, acc, c, r)
  BY_MODE(FINISH)
}

KERNEL gemmDotProd7x8(const gemm_args *g) { ROWS(7, (tile<7>(g, a, c, r))) }
KERNEL gemmDotProd1x8(const gemm_args *g) { ROWS(1, (tile<1>(g, a, c, r))) }
