// int8 GEMM for every ARMv8: s8 inputs by s8 weights in [-127, 127], a 4x4 tile, 16 inputs deep.
#include "neon.h"
#include "gemm.h"

// Panel: [K/16][4 columns][16], and [4 columns][8] if K is an odd multiple of 8.
template <int64_t MODE, int MR> INL void finish(const gemm_args *g, int32x4_t (&s)[MR], int8_t *c, const int8_t *r) {
  const float *p = g->p;
  const int64_t ldc = g->ldc;
  int16x4_t q[4];
  int32x4_t from[MR];
  UNROLL for (int i = 0; i < MR; i++) {
    from[i] = vdupq_n_s32(0);
    if (MODE == RESIDUAL) {
      int8x8_t x = vreinterpret_s8_s32(vld1_dup_s32((const int32_t *)(r + i*ldc)));
      from[i] = vmovl_s16(vget_low_s16(vmovl_s8(x)));
    }
  }
  UNROLL for (int i = 0; i < MR; i++) {
    float32x4_t u = steps<MODE>(s[i], p, 4, from[i]);
    if (MODE == FLOAT) vst1q_f32((float *)(c + i*ldc), u);
    else q[i] = rounded<MODE>(u, p, 4);
  }
  if (MODE == FLOAT) return;
  UNROLL for (int i = MR; i < 4; i++) q[i] = q[MR-1];
  int32x4_t b = vreinterpretq_s32_s8(vcombine_s8(vqmovn_s16(vcombine_s16(q[0], q[1])), vqmovn_s16(vcombine_s16(q[2], q[3]))));
  vst1q_lane_s32((int32_t *)c, b, 0); c += ldc;
  if (MR > 1) { vst1q_lane_s32((int32_t *)c, b, 1); c += ldc; }
  if (MR > 2) { vst1q_lane_s32((int32_t *)c, b, 2); c += ldc; }
  if (MR > 3) { vst1q_lane_s32((int32_t *)c, b, 3); c += ldc; }
}

template <int MR> INL void tile(const gemm_args *g, const int8_t *a, int8_t *c, const int8_t *r) {
  HIDE(g);
  const int64_t lda = g->lda;
  const int8_t *ap[MR];
  UNROLL for (int i = 0; i < MR; i++) ap[i] = a + i*lda;
  int32x4_t acc[MR][4];
  UNROLL for (int i = 0; i < MR; i++) UNROLL for (int j = 0; j < 4; j++) acc[i][j] = vdupq_n_s32(0);
  const int8_t *b = g->b;
  int64_t n = g->segments;
  do {
    int64_t k = g->k >> 1;
    if (k) do {
      int8x16_t av[MR];
      UNROLL for (int i = 0; i < MR; i++) { av[i] = vld1q_s8(ap[i]); ap[i] += 16; }
      // Stage by stage: a result is used 2*MR instructions later, for cores that work in order.
      UNROLL for (int j = 0; j < 4; j += 2) {
        int8x16_t bv[2];
        int16x8_t p[2][MR];
        UNROLL for (int d = 0; d < 2; d++) bv[d] = vld1q_s8(b + 16*(j+d));
        UNROLL for (int d = 0; d < 2; d++) UNROLL for (int i = 0; i < MR; i++) p[d][i] = vmull_s8(vget_low_s8(av[i]), vget_low_s8(bv[d]));
        UNROLL for (int d = 0; d < 2; d++) UNROLL for (int i = 0; i < MR; i++) p[d][i] = vmlal_high_s8(p[d][i], av[i], bv[d]);   // at most 2*128*127
        UNROLL for (int d = 0; d < 2; d++) UNROLL for (int i = 0; i < MR; i++) acc[i][j+d] = vpadalq_s16(acc[i][j+d], p[d][i]);
      }
      b += 64;
    } while (--k);
    if (g->k & 1) {
      int8x8_t av[MR];
      UNROLL for (int i = 0; i < MR; i++) { av[i] = vld1_s8(ap[i]); ap[i] += 8; }
      UNROLL for (int j = 0; j < 4; j++) {
        int8x8_t bv = vld1_s8(b + 8*j);
        int16x8_t p[MR];
        UNROLL for (int i = 0; i < MR; i++) p[i] = vmull_s8(av[i], bv);
        UNROLL for (int i = 0; i < MR; i++) acc[i][j] = vpadalq_s16(acc[i][j], p[i]);
      }
      b += 32;
    }
    UNROLL for (int i = 0; i < MR; i++) ap[i] += g->skip;
  } while (--n);
  const int32x4_t bias = vld1q_s32((const int32_t *)g->p);
  int32x4_t s[MR];
  UNROLL for (int i = 0; i < MR; i++)
    s[i] = vaddq_s32(vpaddq_s32(vpaddq_s32(acc[i][0], acc[i][1]), vpaddq_s32(acc[i][2], acc[i][3])), bias);
#define FINISH(MODE) finish<MODE, MR>(g, s, c, r)
  BY_MODE(FINISH)
}

KERNEL gemmNEON4x4(const gemm_args *g) { ROWS(4, (tile<4>(g, a, c, r))) }
KERNEL gemmNEON1x4(const gemm_args *g) { ROWS(1, (tile<1>(g, a, c, r))) }
