// int8 GEMM for ARMv8.6 with matrix products: s8 by s8, a 4x16 or 8x8 tile of 2x2 blocks, eight inputs an
// instruction. A single row is computed twice.
#include "gemm_neon.h"

// Panel: [K/8][2*NV columns][8]. A register of sums holds two rows of two columns; so the parameters of
// two columns stand twice.
#define S64(x) vreinterpretq_s64_s8(x)
#define S8(x) vreinterpretq_s8_s64(x)

template <int64_t MODE, int MR, int NV> INL void finish(const gemm_args *g, int32x4_t (&acc)[(MR + 1)/2][NV], int8_t *&c, const int8_t *&r) {
  constexpr int PAIRS = (MR + 1)/2;
  const float *p = g->p;
  const int64_t ldc = g->ldc, lower = MR > 1 ? ldc : 0;
  if (MODE == FLOAT) {   // of one row
    UNROLL for (int v = 0; v < NV; v++)
      vst1_f32((float *)c + 2*v, vmul_f32(vcvt_f32_s32(vget_low_s32(acc[0][v])), vld1_f32(p + 4*NV*MULTIPLIER + 4*v)));
    c += ldc;
    return;
  }
  int16x4_t q[NV/2][PAIRS];   // of four columns: two of the upper row, two of the lower, and so on
  const int8_t *from[PAIRS];
  UNROLL for (int i = 0; i < PAIRS; i++) { from[i] = r; r += ldc + lower; }
  UNROLL for (int v = 0; v < NV; v += 2) {
    const ends<MODE> end(IN_ORDER(p, 4*NV, 4*v), SHORT_ZEROS(p, 4*NV, 4*v));
    UNROLL for (int i = 0; i < PAIRS; i++) {
      if (i > 0 && PAIRS > 2) AFTER(q[v/2][i-1], acc[i][v]);
      else if (v > 0) AFTER(q[v/2-1][i], acc[i][v]);
      int16x4_t res = vdup_n_s16(0);
      if (MODE == RESIDUAL) {
        int16x4_t up = vreinterpret_s16_s32(vld1_dup_s32((const int32_t *)(from[i] + 2*v)));
        int16x4_t low = vreinterpret_s16_s32(vld1_dup_s32((const int32_t *)(from[i] + lower + 2*v)));
        res = vzip1_s16(up, low);
      }
      q[v/2][i] = vreinterpret_s16_s8(vqmovn_s16(end(acc[i][v], acc[i][v+1], vreinterpret_s8_s16(res))));
    }
    HIDE(p);   // the parameters of all columns at once would take too many registers
  }
  UNROLL for (int i = 0; i < PAIRS; i++) {
    if (NV == 4) {
      vst1_s8(c, vreinterpret_s8_s16(vuzp1_s16(q[0][i], q[1][i])));
      if (MR > 1) vst1_s8(c + ldc, vreinterpret_s8_s16(vuzp2_s16(q[0][i], q[1][i])));
    } else {
      int16x8_t left = vcombine_s16(q[0][i], q[1][i]), right = vcombine_s16(q[NV/2-2][i], q[NV/2-1][i]);
      vst1q_s8(c, vreinterpretq_s8_s16(vuzp1q_s16(left, right)));
      if (MR > 1) vst1q_s8(c + ldc, vreinterpretq_s8_s16(vuzp2q_s16(left, right)));
    }
    c += ldc + lower;
    HIDE(c);
  }
}

template <int64_t MODE, int MR, int NV> INL void tile(const gemm_args *g, const int8_t *a, int64_t lda, int8_t *&c, const int8_t *&r) {
  constexpr int PAIRS = (MR + 1)/2;
  const int8_t *ap[2*PAIRS];
  UNROLL for (int i = 0; i < 2*PAIRS; i++) { ap[i] = a + (MR > 1 ? i*lda : 0); HIDE(ap[i]); }
  int32x4_t acc[PAIRS][NV];
  UNROLL for (int v = 0; v < NV; v++) {
    int32x4_t bias = vld1q_s32((const int32_t *)g->p + 4*v);
    UNROLL for (int i = 0; i < PAIRS; i++) acc[i][v] = bias;
  }
  const int8_t *b = g->b;
  int64_t n = g->segments, at = 0;
#define STEP(X) \
  UNROLL for (int v = 0; v < NV; v++) { \
    int8x16_t bv = vld1q_s8(b); b += 16; \
    UNROLL for (int i = 0; i < PAIRS; i++) acc[i][v] = vmmlaq_s32(acc[i][v], X, bv); }
  for (;;) {
    PLAIN for (int64_t steps = g->k >> 1; steps; steps--) {
      int8x16_t lo[PAIRS], hi[PAIRS];
      UNROLL for (int i = 0; i < PAIRS; i++) {
        int8x16_t x = vld1q_s8(ap[2*i] + at), y = MR > 1 ? vld1q_s8(ap[2*i+1] + at) : x;
        lo[i] = S8(vzip1q_s64(S64(x), S64(y))); hi[i] = S8(vzip2q_s64(S64(x), S64(y)));
      }
      at += 16;
      STEP(lo[i]) STEP(hi[i])
    }
    if (g->k & 1) {
      int8x16_t x[PAIRS];
      UNROLL for (int i = 0; i < PAIRS; i++) x[i] = vcombine_s8(vld1_s8(ap[2*i] + at), vld1_s8(ap[2*i + (MR > 1)] + at));
      at += 8;
      STEP(x[i])
    }
    if (--n == 0) break;
    at += g->skip;
  }
  finish<MODE, MR, NV>(g, acc, c, r);
}

template <int64_t MODE, int MR, int NV> INL void gemm(const gemm_args *g) {
  rows<MR>(g, [&](const int8_t *a, int64_t lda, int8_t *&c, const int8_t *&r) INL_MEMBER { tile<MODE, MR, NV>(g, a, lda, c, r); });
}
#define RUN4x16(MODE) gemm<MODE, 4, 8>(g)
#define RUN1x16(MODE) gemm<MODE, 1, 8>(g)
#define RUN8x8(MODE) gemm<MODE, 8, 4>(g)
#define RUN1x8(MODE) gemm<MODE, 1, 4>(g)
KERNEL gemmI8MM4x16(const gemm_args *g) { BY_INT_MODE(RUN4x16) }
KERNEL gemmI8MM1x16(const gemm_args *g) { BY_MODE(RUN1x16) }
KERNEL gemmI8MM8x8(const gemm_args *g) { BY_INT_MODE(RUN8x8) }
KERNEL gemmI8MM1x8(const gemm_args *g) { BY_MODE(RUN1x8) }
