// int8 GEMM for AVX-512 VNNI: u8 inputs (q + 128) by s8 weights, four inputs an instruction.
#include "avx512.h"
#include "gemm.h"

// Panel: [K/4][NV*16 columns][4].
template <int64_t MODE, int MR, int NV> INL void finish(const gemm_args *g, __m512i (&acc)[MR][NV], int8_t *c, const int8_t *r) {
  const clamp k = clamp_of<MODE>();
  UNROLL for (int i = 0; i < MR; i++) {
    HIDE(g);
    const float *p = g->p;
    UNROLL for (int v = 0; v < NV; v++) {
      __mmask16 keep = v + 1 < NV ? 0xffff : g->mask >> (16*v);
      __m128i from = _mm_setzero_si128();
      if (MODE == RESIDUAL) from = _mm_maskz_loadu_epi8(keep, r + 16*v);
      __m512 u = steps<MODE>(acc[i][v], p + 16*v, 16*NV, from);
      if (MODE == FLOAT) {
        _mm512_mask_storeu_ps(c + 64*v, keep, u);
        continue;
      }
      __m128i q = saturated(rounded<MODE>(u, p + 16*v, 16*NV, k));
      if (v + 1 < NV) _mm_storeu_si128((__m128i *)(c + 16*v), q);
      else _mm_mask_storeu_epi8(c + 16*v, keep, q);
    }
    c += g->ldc; r += g->ldc; HIDE(c); HIDE(r);
  }
}

template <int MR, int NV> INL void tile(const gemm_args *g, const int8_t *a, int8_t *c, const int8_t *r) {
  HIDE(g);
  int64_t lda = g->lda;
  const int8_t *ap[(MR + 2) / 3];   // every third row; the others are lda and 2*lda further
  UNROLL for (int i = 0; i < MR; i += 3) ap[i/3] = a + i*lda;
  __m512i acc[MR][NV];
  UNROLL for (int v = 0; v < NV; v++) {
    __m512i bias = _mm512_loadu_si512(g->p + 16*v);
    UNROLL for (int i = 0; i < MR; i++) acc[i][v] = bias;
  }
  const int8_t *b = g->b;
  int64_t n = g->segments;
  do {
    int64_t k = g->k;
    do {
      UNROLL for (int i = 0; i < MR; i += 3) HIDE(ap[i/3]);
      __m512i bv[NV];
      UNROLL for (int v = 0; v < NV; v++) bv[v] = _mm512_loadu_si512(b + 64*v);
      UNROLL for (int i = 0; i < MR; i++) {
        __m512i av = _mm512_set1_epi32(*(const int32_t *)(ap[i/3] + i%3*lda));
        UNROLL for (int v = 0; v < NV; v++) acc[i][v] = _mm512_dpbusd_epi32(acc[i][v], av, bv[v]);
      }
      b += 64*NV;
      UNROLL for (int i = 0; i < MR; i += 3) ap[i/3] += 4;
    } while (--k);
    UNROLL for (int i = 0; i < MR; i += 3) ap[i/3] += g->skip;
  } while (--n);
  HIDE(g);
#define FINISH(MODE) finish<MODE, MR, NV>(g, acc, c, r)
  BY_MODE(FINISH)
}

KERNEL gemmVNNI6x64(const gemm_args *g) { ROWS(6, (tile<6, 4>(g, a, c, r))) }
KERNEL gemmVNNI8x48(const gemm_args *g) { ROWS(8, (tile<8, 3>(g, a, c, r))) }
KERNEL gemmVNNI8x32(const gemm_args *g) { ROWS(8, (tile<8, 2>(g, a, c, r))) }
KERNEL gemmVNNI8x16(const gemm_args *g) { ROWS(8, (tile<8, 1>(g, a, c, r))) }
KERNEL gemmVNNI1x64(const gemm_args *g) { ROWS(1, (tile<1, 4>(g, a, c, r))) }
KERNEL gemmVNNI1x48(const gemm_args *g) { ROWS(1, (tile<1, 3>(g, a, c, r))) }
KERNEL gemmVNNI1x32(const gemm_args *g) { ROWS(1, (tile<1, 2>(g, a, c, r))) }
KERNEL gemmVNNI1x16(const gemm_args *g) { ROWS(1, (tile<1, 1>(g, a, c, r))) }
