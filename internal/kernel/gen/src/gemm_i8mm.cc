// int8 GEMM for ARMv8.6 with matrix products: s8 by s8, an 8x8 tile of 2x2 blocks, eight inputs an
// instruction.
#include "neon.h"
#include "gemm.h"

// Panel: [K/8][8 columns][8].
#define S64(x) vreinterpretq_s64_s8(x)
#define S8(x) vreinterpretq_s8_s64(x)
#define S32(x) vreinterpretq_s32_s64(x)
#define W64(x) vreinterpretq_s64_s32(x)

template <int64_t MODE> INL void finish(const gemm_args *g, int32x4_t (&acc)[4][4], int8_t *c, const int8_t *r) {
  const float *p = g->p;
  const int64_t ldc = g->ldc;
  UNROLL for (int i = 0; i < 4; i++) {
    HIDE(p); HIDE(c); HIDE(r);
    finish8<MODE>(S32(vzip1q_s64(W64(acc[i][0]), W64(acc[i][1]))), S32(vzip1q_s64(W64(acc[i][2]), W64(acc[i][3]))), p, c, r);
    c += ldc; r += ldc;
    HIDE(p); HIDE(c); HIDE(r);
    finish8<MODE>(S32(vzip2q_s64(W64(acc[i][0]), W64(acc[i][1]))), S32(vzip2q_s64(W64(acc[i][2]), W64(acc[i][3]))), p, c, r);
    c += ldc; r += ldc;
  }
}

INL void tile(const gemm_args *g, const int8_t *a, int8_t *c, const int8_t *r) {
  HIDE(g);
  const int64_t lda = g->lda;
  const int8_t *ap[8];
  UNROLL for (int i = 0; i < 8; i++) ap[i] = a + i*lda;
  int32x4_t acc[4][4];
  UNROLL for (int j = 0; j < 4; j++) {
    int32x2_t bias = vld1_s32((const int32_t *)g->p + 2*j);
    UNROLL for (int i = 0; i < 4; i++) acc[i][j] = vcombine_s32(bias, bias);
  }
  const int8_t *b = g->b;
  int64_t n = g->segments;
  do {
    int64_t k = g->k >> 1;
#define STEP(X) \
    UNROLL for (int j = 0; j < 4; j++) { \
      int8x16_t bv = vld1q_s8(b); b += 16; \
      UNROLL for (int i = 0; i < 4; i++) acc[i][j] = vmmlaq_s32(acc[i][j], X, bv); }
    if (k) do {
      int8x16_t lo[4], hi[4];
      UNROLL for (int i = 0; i < 4; i++) {
        int8x16_t x = vld1q_s8(ap[2*i]), y = vld1q_s8(ap[2*i+1]);
        ap[2*i] += 16; ap[2*i+1] += 16;
        lo[i] = S8(vzip1q_s64(S64(x), S64(y))); hi[i] = S8(vzip2q_s64(S64(x), S64(y)));
      }
      STEP(lo[i]) STEP(hi[i])
    } while (--k);
    if (g->k & 1) {
      int8x16_t x[4];
      UNROLL for (int i = 0; i < 4; i++) {
        x[i] = vcombine_s8(vld1_s8(ap[2*i]), vld1_s8(ap[2*i+1]));
        ap[2*i] += 8; ap[2*i+1] += 8;
      }
      STEP(x[i])
    }
    UNROLL for (int i = 0; i < 8; i++) ap[i] += g->skip;
  } while (--n);
  HIDE(g);
#define FINISH(MODE) finish<MODE>(g, acc, c, r)
  BY_MODE(FINISH)
}

KERNEL gemmI8MM8x8(const gemm_args *g) { ROWS(8, tile(g, a, c, r)) }
