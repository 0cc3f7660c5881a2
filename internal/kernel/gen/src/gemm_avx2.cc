// int8 GEMM for AVX2: s16 inputs by s8 weights widened to s16, two inputs an instruction. Two
// products of magnitude 128*127 and their sum fit, so vpmaddwd is exact.
#include "avx2.h"
#include "gemm.h"

// Panel: [K/2][NV*8 columns][2]. With NV = 2, lane l, element e of vector v is column 8*l + 4*v + e:
// the packs of the end bring the columns into order.
template <int64_t MODE, int MR, int NV> INL void finish(const gemm_args *g, __m256i (&acc)[MR][NV], int8_t *c, const int8_t *r) {
  UNROLL for (int i = 0; i < MR; i++) {
    HIDE(g);
    const float *p = g->p;
    __m256i from[2] = {_mm256_setzero_si256(), _mm256_setzero_si256()}, q[NV];
    if (MODE == RESIDUAL && NV == 2) {
      __m128i x = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)r), 0xd8);
      from[0] = _mm256_cvtepi8_epi32(x);
      from[1] = _mm256_cvtepi8_epi32(_mm_unpackhi_epi64(x, x));
    }
    if (MODE == RESIDUAL && NV == 1) from[0] = _mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)r));
    __m256 u[NV];
    UNROLL for (int v = 0; v < NV; v++) u[v] = steps<MODE>(acc[i][v], p + 8*v, 8*NV, from[v]);
    if (MODE == FLOAT) {
      float *f = (float *)c;
      if (NV == 1) _mm256_storeu_ps(f, u[0]);
      else {
        _mm256_storeu_ps(f, _mm256_permute2f128_ps(u[0], u[NV-1], 0x20));
        _mm256_storeu_ps(f + 8, _mm256_permute2f128_ps(u[0], u[NV-1], 0x31));
      }
    } else {
      UNROLL for (int v = 0; v < NV; v++) q[v] = rounded<MODE>(u[v], p + 8*v, 8*NV);
      __m256i w = _mm256_packs_epi32(q[0], q[NV-1]);   // lane l: columns 8l to 8l+7, or 4l to 4l+3 twice
      w = _mm256_packs_epi16(w, w);
      __m128i lo = _mm256_castsi256_si128(w), hi = _mm256_extracti128_si256(w, 1);
      if (NV == 2) _mm_storeu_si128((__m128i *)c, _mm_unpacklo_epi64(lo, hi));
      else _mm_storel_epi64((__m128i *)c, _mm_unpacklo_epi32(lo, hi));
    }
    c += g->ldc; r += g->ldc; HIDE(c); HIDE(r);
  }
}

template <int MR, int NV> INL void tile(const gemm_args *g, const int8_t *a, int8_t *c, const int8_t *r) {
  HIDE(g);
  int64_t lda = g->lda;
  const int8_t *ap[(MR + 2) / 3];
  UNROLL for (int i = 0; i < MR; i += 3) ap[i/3] = a + i*lda;
  __m256i acc[MR][NV];
  UNROLL for (int v = 0; v < NV; v++) {
    __m256i bias = _mm256_loadu_si256((const __m256i *)(g->p + 8*v));
    UNROLL for (int i = 0; i < MR; i++) acc[i][v] = bias;
  }
  const int8_t *b = g->b;
  int64_t n = g->segments;
  do {
    int64_t k = g->k;
    do {
      UNROLL for (int i = 0; i < MR; i += 3) HIDE(ap[i/3]);
      __m256i bv[NV];
      UNROLL for (int v = 0; v < NV; v++) bv[v] = _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(b + 16*v)));
      UNROLL for (int i = 0; i < MR; i++) {
        __m256i av = _mm256_set1_epi32(*(const int32_t *)(ap[i/3] + i%3*lda));
        UNROLL for (int v = 0; v < NV; v++) acc[i][v] = _mm256_add_epi32(acc[i][v], _mm256_madd_epi16(av, bv[v]));
      }
      b += 16*NV;
      UNROLL for (int i = 0; i < MR; i += 3) ap[i/3] += 4;
    } while (--k);
    UNROLL for (int i = 0; i < MR; i += 3) ap[i/3] += g->skip;
  } while (--n);
  HIDE(g);
#define FINISH(MODE) finish<MODE, MR, NV>(g, acc, c, r)
  BY_MODE(FINISH)
}

KERNEL gemmAVX26x16(const gemm_args *g) { ROWS(6, (tile<6, 2>(g, a, c, r))) }
KERNEL gemmAVX28x8(const gemm_args *g) { ROWS(8, (tile<8, 1>(g, a, c, r))) }
KERNEL gemmAVX21x16(const gemm_args *g) { ROWS(1, (tile<1, 2>(g, a, c, r))) }
KERNEL gemmAVX21x8(const gemm_args *g) { ROWS(1, (tile<1, 1>(g, a, c, r))) }

// c[i] = a[i] as s16, for k >= 16 bytes; the last 16 may overlap those before.
KERNEL widenAVX2(const gemm_args *g) {
  const int8_t *a = g->a;
  int8_t *c = g->c;
  int64_t k = g->k;
  for (;;) {
    _mm256_storeu_si256((__m256i *)c, _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)a)));
    k -= 16;
    if (k <= 0) return;
    int64_t step = k < 16 ? k : 16;
    a += step; c += 2*step;
    k = k < 16 ? 16 : k;
  }
}
