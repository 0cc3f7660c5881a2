// Y'CbCr to packed RGB, for AVX2: 16 pixels at a time, in products of 32 bits.
#include "avx2.h"
#include "ycbcr.h"

INL __m128i load(const uint8_t *p) { return _mm_loadu_si128((const __m128i *)p); }
INL __m256i constant(const int32_t *k) { return _mm256_loadu_si256((const __m256i *)k); }
INL __m256i times(__m256i x, const int32_t *k) { return _mm256_mullo_epi32(x, constant(k)); }

// What eight samples of chroma add to the colours.
INL void tints(const int32_t *k, __m256i u, __m256i v, __m256i *t) {
  t[0] = _mm256_add_epi32(times(v, k + RV), constant(k + R));
  t[1] = _mm256_add_epi32(_mm256_add_epi32(times(u, k + GU), times(v, k + GV)), constant(k + G));
  t[2] = _mm256_add_epi32(times(u, k + BU), constant(k + B));
}

// 16 values 0 to 255, as 16 bits, of sums whose order is that of unpacking 16 bits.
INL __m256i clipped(__m256i lo, __m256i hi, __m256i most) {
  __m256i x = _mm256_packs_epi32(_mm256_srai_epi32(lo, 16), _mm256_srai_epi32(hi, 16));
  return _mm256_min_epi16(_mm256_max_epi16(x, _mm256_setzero_si256()), most);
}

template <layout L> INL void convert(const ycbcr_args *g) {
  const __m256i zero = _mm256_setzero_si256();
  const __m256i pack = _mm256_broadcastsi128_si256(load(g->pack));
  int32_t level = 0x00ff00ff;
  HIDE(level);
  const __m256i most = _mm256_set1_epi32(level);
  const int32_t *k = g->k;
  int64_t at = 0, last = g->n - 16;
  for (;;) {
    HIDE(k);
    __m256i y, lo[3], hi[3];
    if (L == YUYV) {
      __m256i x = _mm256_loadu_si256((const __m256i *)(g->y + 2*at)); // y cb y cr in 32 bits
      y = _mm256_and_si256(x, most);
      tints(k, _mm256_and_si256(_mm256_srli_epi32(x, 8), _mm256_srli_epi32(most, 16)), _mm256_srli_epi32(x, 24), lo);
    } else {
      y = _mm256_cvtepu8_epi16(load(g->y + at));
      if (L == NV12) {
        __m256i c = _mm256_cvtepu16_epi32(load(g->cb + at));
        tints(k, _mm256_and_si256(c, most), _mm256_srli_epi32(c, 8), lo);
      } else if (L == HALF) {
        tints(k, _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(g->cb + at/2))), _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(g->cr + at/2))), lo);
      } else {
        __m256i u = _mm256_cvtepu8_epi16(load(g->cb + at)), v = _mm256_cvtepu8_epi16(load(g->cr + at));
        tints(k, _mm256_unpacklo_epi16(u, zero), _mm256_unpacklo_epi16(v, zero), lo);
        tints(k, _mm256_unpackhi_epi16(u, zero), _mm256_unpackhi_epi16(v, zero), hi);
      }
    }
    __m256i y0 = times(_mm256_unpacklo_epi16(y, zero), k + KY), y1 = times(_mm256_unpackhi_epi16(y, zero), k + KY);
    __m256i c[3];
    UNROLL for (int i = 0; i < 3; i++) {
      __m256i t0 = lo[i], t1 = hi[i];
      if (L != FULL) t1 = _mm256_unpackhi_epi32(lo[i], lo[i]), t0 = _mm256_unpacklo_epi32(lo[i], lo[i]);
      c[i] = clipped(_mm256_add_epi32(y0, t0), _mm256_add_epi32(y1, t1), most);
    }
    __m256i rg = _mm256_or_si256(c[0], _mm256_slli_epi16(c[1], 8));
    __m256i p = _mm256_shuffle_epi8(_mm256_unpacklo_epi16(rg, c[2]), pack); // pixels 0 to 3, 8 to 11
    __m256i q = _mm256_shuffle_epi8(_mm256_unpackhi_epi16(rg, c[2]), pack); // 4 to 7, 12 to 15
    __m128i p0 = _mm256_castsi256_si128(p), p1 = _mm256_extracti128_si256(p, 1);
    __m128i q0 = _mm256_castsi256_si128(q), q1 = _mm256_extracti128_si256(q, 1);
    uint8_t *d = g->c + 3*at;
    _mm_storeu_si128((__m128i *)d, _mm_or_si128(p0, _mm_slli_si128(q0, 12)));
    _mm_storeu_si128((__m128i *)(d + 16), _mm_or_si128(_mm_srli_si128(q0, 4), _mm_slli_si128(p1, 8)));
    _mm_storeu_si128((__m128i *)(d + 32), _mm_or_si128(_mm_srli_si128(p1, 8), _mm_slli_si128(q1, 4)));
    if (at == last) return;
    at += 16;
    if (at > last) at = last;
  }
}

KERNEL ycbcrFullAVX2(const ycbcr_args *g) { convert<FULL>(g); }
KERNEL ycbcrHalfAVX2(const ycbcr_args *g) { convert<HALF>(g); }
KERNEL ycbcrNV12AVX2(const ycbcr_args *g) { convert<NV12>(g); }
KERNEL ycbcrYUYVAVX2(const ycbcr_args *g) { convert<YUYV>(g); }
