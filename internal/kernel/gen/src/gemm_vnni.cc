// int8 GEMM for AVX-512 VNNI: u8 inputs (q + 128) by s8 weights, four inputs an instruction.
#include "avx512.h"
#include "gemm.h"

// Panel: [K/4][NV*16 columns][4]. Lane l, element e of vector v is column 4*NV*l + 4*v + e: the packs of
// the end bring the columns of a row, of two rows or of four into order, four vectors at a time.
template <int NV> struct order {
  __m512i pack, unpack;   // how the bytes of a store follow from a pack, and the inverse
  inline __attribute__((always_inline)) order() {
    if (NV == 3) {
      pack = indices<0x0908060504020100, 0x0f0b07030e0d0c0a>();
      unpack = indices<0x0005040300020100, 0x000b0a0900080706>();
    }
    if (NV == 2) {
      pack = indices<0x0d0c090805040100, 0x0f0e0b0a07060302>();
      unpack = indices<0x0b0a030209080100, 0x0f0e07060d0c0504>();
    }
    if (NV == 1) pack = unpack = indices<0x0d0905010c080400, 0x0f0b07030e0a0602>();
  }
};

// Ends R rows: one of four vectors or three, two of two, or four of one; or one of any.
template <int64_t MODE, int R, int NV> INL void finish_rows(gemm_args *g, __m512i (&acc)[R][NV], int8_t *c, const int8_t *r, const order<NV> &in, const zeros &z, const clamp &k) {
  const float *p = g->p;
  const __mmask64 keep = g->mask;
  const int64_t ldc = g->ldc;
  __m512i from[4], q[4];
  if (MODE == RESIDUAL) {
    __m512i x;
    if (NV >= 3) x = _mm512_maskz_loadu_epi8(keep, r);
    if (NV == 2) x = _mm512_inserti64x4(_mm512_castsi256_si512(_mm256_maskz_loadu_epi8(keep, r)), _mm256_maskz_loadu_epi8(keep, r + (R-1)*ldc), 1);
    if (NV == 1) {
      x = _mm512_castsi128_si512(_mm_maskz_loadu_epi8(keep, r));
      if (R > 1) {
        x = _mm512_inserti32x4(x, _mm_maskz_loadu_epi8(keep, r + ldc), 1);
        x = _mm512_inserti32x4(x, _mm_maskz_loadu_epi8(keep, r + 2*ldc), 2);
        x = _mm512_inserti32x4(x, _mm_maskz_loadu_epi8(keep, r + 3*ldc), 3);
      }
    }
    if (NV < 4) x = _mm512_permutexvar_epi32(in.unpack, x);
    widen(x, from);
  }
  UNROLL for (int i = 0; i < R; i++) {
    UNROLL for (int v = 0; v < NV; v++)
      q[i*NV + v] = nearest<MODE>(steps<MODE>(acc[i][v], p + 16*v, 16*NV, from[i*NV + v]), p + 16*v, 16*NV, k);
  }
  UNROLL for (int i = R*NV; i < 4; i++) q[i] = q[i - 1];
  __m512i x = saturated(q[0], q[1], q[2], q[3], z);
  if (NV < 4) x = _mm512_permutexvar_epi32(in.pack, x);
  if (NV >= 3) _mm512_mask_storeu_epi8(c, keep, x);
  if (NV == 2) {
    _mm256_mask_storeu_epi8(c, keep, _mm512_castsi512_si256(x));
    if (R > 1) _mm256_mask_storeu_epi8(c + ldc, keep, _mm512_extracti64x4_epi64(x, 1));
  }
  if (NV == 1) {
    _mm_mask_storeu_epi8(c, keep, _mm512_castsi512_si128(x));
    if (R > 1) {
      _mm_mask_storeu_epi8(c + ldc, keep, _mm512_extracti32x4_epi32(x, 1));
      _mm_mask_storeu_epi8(c + 2*ldc, keep, _mm512_extracti32x4_epi32(x, 2));
      _mm_mask_storeu_epi8(c + 3*ldc, keep, _mm512_extracti32x4_epi32(x, 3));
    }
  }
}

// The zero points as finish_rows packs its values.
template <int NV> INL zeros zeros_for(const float *p) {
  const int32_t *z = (const int32_t *)p + ZERO*16*NV;
  __m512i v[4];
  UNROLL for (int i = 0; i < 4; i++) v[i] = _mm512_loadu_si512(z + 16*(NV == 3 && i == 3 ? 2 : i % NV));
  return zeros_of(v[0], v[1], v[2], v[3]);
}

template <int64_t MODE, int MR, int NV> INL void finish(gemm_args *g, __m512i (&acc)[MR][NV], int8_t *c, const int8_t *r) {
  constexpr int R = MR == 1 || NV >= 3 ? 1 : NV == 2 ? 2 : 4;
  const clamp k = clamp_of<MODE>();
  const order<NV> in;
  const zeros z = zeros_for<NV>(g->p);
  UNROLL for (int i = 0; i < MR; i += R) {
    HIDE(g);
    finish_rows<MODE, R, NV>(g, (__m512i (&)[R][NV])acc[i], c, r, in, z, k);
    c += R*g->ldc; r += R*g->ldc; HIDE(c); HIDE(r);
  }
}

// Equation 6 for one row, four columns at a time.
template <int NV> INL void floats(gemm_args *g, __m512i (&acc)[1][NV], int8_t *c) {
  UNROLL for (int v = 0; v < NV; v++) {
    __m512 u = steps<FLOAT>(acc[0][v], g->p + 16*v, 16*NV, acc[0][v]);
    const uint64_t keep = g->mask >> (4*v);
    _mm_mask_storeu_ps(c + 16*v, keep & 15, _mm512_castps512_ps128(u));
    _mm_mask_storeu_ps(c + 16*(NV + v), keep >> 4*NV & 15, _mm512_extractf32x4_ps(u, 1));
    _mm_mask_storeu_ps(c + 16*(2*NV + v), keep >> 8*NV & 15, _mm512_extractf32x4_ps(u, 2));
    _mm_mask_storeu_ps(c + 16*(3*NV + v), keep >> 12*NV & 15, _mm512_extractf32x4_ps(u, 3));
  }
}

template <int MR, int NV> INL void tile(gemm_args *g, const int8_t *a, int8_t *c, const int8_t *r) {
  HIDE(g);
  if (MR > 1) {
    const int8_t *f = g->ahead;
    PLAIN for (int64_t n = g->ahead_lines; n > 0; n--, f += 64) _mm_prefetch(f, _MM_HINT_T0);
    g->ahead = f;
  }
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
#define FINISH(MODE) if constexpr (MODE != FLOAT) finish<MODE, MR, NV>(g, acc, c, r); else if constexpr (MR == 1) floats<NV>(g, acc, c)
  BY_MODE(FINISH)
}

KERNEL gemmVNNI6x64(gemm_args *g) { ROWS(6, (tile<6, 4>(g, a, c, r))) }
KERNEL gemmVNNI8x48(gemm_args *g) { ROWS(8, (tile<8, 3>(g, a, c, r))) }
KERNEL gemmVNNI8x32(gemm_args *g) { ROWS(8, (tile<8, 2>(g, a, c, r))) }
KERNEL gemmVNNI8x16(gemm_args *g) { ROWS(8, (tile<8, 1>(g, a, c, r))) }
KERNEL gemmVNNI1x64(gemm_args *g) { ROWS(1, (tile<1, 4>(g, a, c, r))) }
KERNEL gemmVNNI1x48(gemm_args *g) { ROWS(1, (tile<1, 3>(g, a, c, r))) }
KERNEL gemmVNNI1x32(gemm_args *g) { ROWS(1, (tile<1, 2>(g, a, c, r))) }
KERNEL gemmVNNI1x16(gemm_args *g) { ROWS(1, (tile<1, 1>(g, a, c, r))) }

// k bytes from a to c, their top bits inverted: q + 128 for q, and back.
KERNEL flipVNNI(gemm_args *g) {
  int32_t bits = 0x80808080;
  HIDE(bits);
  const __m512i top = _mm512_set1_epi32(bits);
  const int8_t *a = g->a;
  int8_t *c = g->c;
  int64_t k = g->k;
  PLAIN for (; k >= 64; k -= 64, a += 64, c += 64) _mm512_storeu_si512(c, _mm512_xor_si512(_mm512_loadu_si512(a), top));
  const __mmask64 keep = ~(~(uint64_t)0 << k);
  _mm512_mask_storeu_epi8(c, keep, _mm512_xor_si512(_mm512_maskz_loadu_epi8(keep, a), top));
}
