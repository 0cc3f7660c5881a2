// The passes of resizing, for AVX2. A coefficient of 22 fractional bits is split into two of
// 16: c = hi << 11 | lo, so that two products at a time are exact.
#include "avx2.h"
#include "resample.h"

INL __m256i dword(const int32_t *p) { return _mm256_set1_epi32(*p); }

INL __m256i level(__m256i hi, __m256i lo) {
  return _mm256_srai_epi32(_mm256_add_epi32(_mm256_slli_epi32(hi, SPLIT), lo), PRECISION);
}

INL __m256i two(const uint8_t *a, const uint8_t *b) {
  return _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)a)), _mm_loadu_si128((const __m128i *)b), 1);
}

// One output of two rows: R, G, B, 0 in 32 bits each.
template <bool ONE> INL __m256i output(const across_args *g, const uint8_t *a, const uint8_t *b, const int32_t *&p, __m256i first, __m256i second, __m256i half) {
  __m256i x = two(a, b), s = _mm256_shuffle_epi8(x, first), t = _mm256_shuffle_epi8(x, second);
  __m256i hi = _mm256_add_epi32(_mm256_madd_epi16(s, dword(p)), _mm256_madd_epi16(t, dword(p + 2)));
  __m256i lo = _mm256_add_epi32(_mm256_madd_epi16(s, dword(p + 1)), _mm256_madd_epi16(t, dword(p + 3)));
  p += 4;
  if (!ONE) {
    int64_t n = g->chunks - 1;
    PLAIN while (n--) {
      a += g->step; b += g->step;
      x = two(a, b);
      s = _mm256_shuffle_epi8(x, first); t = _mm256_shuffle_epi8(x, second);
      hi = _mm256_add_epi32(hi, _mm256_add_epi32(_mm256_madd_epi16(s, dword(p)), _mm256_madd_epi16(t, dword(p + 2))));
      lo = _mm256_add_epi32(lo, _mm256_add_epi32(_mm256_madd_epi16(s, dword(p + 1)), _mm256_madd_epi16(t, dword(p + 3))));
      p += 4;
      HIDE(p);
    }
  }
  return level(hi, _mm256_add_epi32(lo, half));
}

template <bool ONE> INL void across(const across_args *g) {
  const uint8_t *a = g->a, *b = g->b;
  const int32_t *offset = g->offset, *p = g->coef;
  uint8_t *c = g->c, *d = g->d;
  int64_t groups = g->groups;
  int32_t rounding = 1 << (PRECISION - 1);
  HIDE(rounding);
  const __m256i half = _mm256_set1_epi32(rounding);
  const __m256i first = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)g->shuffle));
  const __m256i second = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(g->shuffle + 16)));
  const __m256i pack = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(g->shuffle + 32)));
  do {
    __m256i t0 = output<ONE>(g, a + offset[0], b + offset[0], p, first, second, half);
    __m256i t1 = output<ONE>(g, a + offset[1], b + offset[1], p, first, second, half);
    t0 = _mm256_packs_epi32(t0, t1);
    t1 = output<ONE>(g, a + offset[2], b + offset[2], p, first, second, half);
    __m256i t3 = output<ONE>(g, a + offset[3], b + offset[3], p, first, second, half);
    t0 = _mm256_shuffle_epi8(_mm256_packus_epi16(t0, _mm256_packs_epi32(t1, t3)), pack);
    _mm_storeu_si128((__m128i *)c, _mm256_castsi256_si128(t0));
    _mm_storeu_si128((__m128i *)d, _mm256_extracti128_si256(t0, 1));
    offset += 4; c += 12; d += 12;
    HIDE(offset); HIDE(c); HIDE(d);
  } while (--groups);
}

KERNEL acrossAVX2(const across_args *g) {
  if (g->chunks == 1) across<true>(g);
  else across<false>(g);
}

// c = sum over rows of coefficient * row, 32 bytes at a time.
KERNEL mixAVX2(const mix_args *g) {
  uint8_t *c = g->c;
  int64_t at = 0, last = g->bytes - 32;
  for (;;) {
    int32_t rounding = 1 << (PRECISION - 1);
    HIDE(rounding);   // here, not before: there are no registers to keep it in
    __m256i hi[4], lo[4];
    UNROLL for (int j = 0; j < 4; j++) { hi[j] = _mm256_setzero_si256(); lo[j] = _mm256_set1_epi32(rounding); }
    const uint8_t *const *rows = g->rows;
    const int32_t *p = g->coef;
    int64_t n = g->pairs;
    PLAIN do {
      const uint8_t *a = rows[0] + at, *b = rows[1] + at;
      const __m256i h = dword(p), l = dword(p + 1);
      UNROLL for (int j = 0; j < 2; j++) {
        __m256i x = _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)(a + 16*j)));
        __m256i y = _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)(b + 16*j)));
        __m256i s = _mm256_unpacklo_epi16(x, y), t = _mm256_unpackhi_epi16(x, y);
        hi[2*j] = _mm256_add_epi32(hi[2*j], _mm256_madd_epi16(s, h));
        lo[2*j] = _mm256_add_epi32(lo[2*j], _mm256_madd_epi16(s, l));
        hi[2*j + 1] = _mm256_add_epi32(hi[2*j + 1], _mm256_madd_epi16(t, h));
        lo[2*j + 1] = _mm256_add_epi32(lo[2*j + 1], _mm256_madd_epi16(t, l));
      }
      rows += 2; p += 2;
    } while (--n);
    __m256i u[4];
    UNROLL for (int j = 0; j < 4; j++) u[j] = level(hi[j], lo[j]);
    __m256i q = _mm256_packus_epi16(_mm256_packs_epi32(u[0], u[1]), _mm256_packs_epi32(u[2], u[3]));
    _mm256_storeu_si256((__m256i *)(c + at), _mm256_permute4x64_epi64(q, 0xd8));
    if (at == last) return;
    at += 32;
    if (at > last) at = last;
  }
}
