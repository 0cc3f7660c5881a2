// Sums over pixels and scaling by a gate, for AVX-512: any number of channels of u8 (q + 128).
#include "avx512.h"
#include "gemm.h"
#include "squeeze.h"

// 64 values of 16 to a vector, those of keep; and as widen orders channels: four of each vector in a lane.
INL void load64(const void *q, uint64_t keep, __m512i (&v)[4]) {
  UNROLL for (int i = 0; i < 4; i++) v[i] = _mm512_maskz_loadu_epi32(keep >> 16*i, (const int32_t *)q + 16*i);
}

INL void turn(__m512i (&v)[4]) {
  __m512i a = _mm512_shuffle_i32x4(v[0], v[1], 0x88), b = _mm512_shuffle_i32x4(v[0], v[1], 0xdd);
  __m512i c = _mm512_shuffle_i32x4(v[2], v[3], 0x88), d = _mm512_shuffle_i32x4(v[2], v[3], 0xdd);
  v[0] = _mm512_shuffle_i32x4(a, c, 0x88); v[1] = _mm512_shuffle_i32x4(b, d, 0x88);
  v[2] = _mm512_shuffle_i32x4(a, c, 0xdd); v[3] = _mm512_shuffle_i32x4(b, d, 0xdd);
}

// sum[channel] += sum over pixels of a, as int8; 64 channels at a time.
KERNEL sumsVNNI(const squeeze_args *g) {
  const __m512i none = _mm512_setzero_si512(), offset = _mm512_set1_epi32((int32_t)(g->pixels * -128));
  const int8_t *block = g->a;
  int32_t *sum = g->sum;
  int64_t left = g->channels;
  for (;;) {
    const uint64_t keep = left < 64 ? ~(uint64_t)0 >> (64 - left) : ~(uint64_t)0;
    const int8_t *a = block;
    int64_t n = g->pixels;
    __m512i s[4] = {offset, offset, offset, offset};
    do {
      int64_t run = n < 256 ? n : 256;   // sums of 256 fit u16
      n -= run;
      __m512i lo = none, hi = none;
      PLAIN do {
        __m512i x = _mm512_maskz_loadu_epi8(keep, a);
        lo = _mm512_add_epi16(lo, _mm512_unpacklo_epi8(x, none));
        hi = _mm512_add_epi16(hi, _mm512_unpackhi_epi8(x, none));
        a += g->channels;
      } while (--run);
      s[0] = _mm512_add_epi32(s[0], _mm512_unpacklo_epi16(lo, none)); s[1] = _mm512_add_epi32(s[1], _mm512_unpackhi_epi16(lo, none));
      s[2] = _mm512_add_epi32(s[2], _mm512_unpacklo_epi16(hi, none)); s[3] = _mm512_add_epi32(s[3], _mm512_unpackhi_epi16(hi, none));
    } while (n);
    turn(s);
    UNROLL for (int i = 0; i < 4; i++) {
      const __mmask16 k = keep >> 16*i;
      _mm512_mask_storeu_epi32(sum + 16*i, k, _mm512_add_epi32(s[i], _mm512_maskz_loadu_epi32(k, sum + 16*i)));
    }
    left -= 64;
    if (left <= 0) return;
    sum += 64; block += 64;
  }
}

// Equation 11, 64 channels at a time.
KERNEL rescaleVNNI(const squeeze_args *g) {
  // A byte below the half-word 0x4b00 is the float 2^23 + byte, and differences of such are exact.
  const __m512i none = _mm512_setzero_si512(), high = _mm512_slli_epi32(_mm512_castps_si512(constant512(0x4b00)), 16);
  const __m512i upper = _mm512_or_si512(high, _mm512_srli_epi32(high, 16));
  int64_t at = 0, left = g->channels;
  for (;;) {
    const uint64_t keep = left < 64 ? ~(uint64_t)0 >> (64 - left) : ~(uint64_t)0;
    __m512i m[4], x[4], y[4];
    load64(g->gate + at, keep, m);
    load64(g->in_zero + at, keep, x);
    load64(g->out_zero + at, keep, y);
    UNROLL for (int v = 0; v < 4; v++) x[v] = _mm512_or_si512(x[v], high);
    turn(m); turn(x); turn(y);
    const zeros z = zeros_of(y[0], y[1], y[2], y[3]);
    const int8_t *a = g->a + at;
    int8_t *c = g->c + at;
    int64_t n = g->pixels;
    PLAIN do {
      __m512i b = _mm512_maskz_loadu_epi8(keep, a), lo = _mm512_unpacklo_epi8(b, none), hi = _mm512_unpackhi_epi8(b, none);
      __m512i q[4] = {_mm512_unpacklo_epi16(lo, upper), _mm512_unpackhi_epi16(lo, upper), _mm512_unpacklo_epi16(hi, upper), _mm512_unpackhi_epi16(hi, upper)};
      UNROLL for (int v = 0; v < 4; v++) {
        __m512 d = _mm512_sub_ps(_mm512_castsi512_ps(q[v]), _mm512_castsi512_ps(x[v]));
        q[v] = _mm512_cvtps_epi32(_mm512_mul_ps(d, _mm512_castsi512_ps(m[v])));
      }
      _mm512_mask_storeu_epi8(c, keep, saturated(q[0], q[1], q[2], q[3], z));
      a += g->channels; c += g->channels;
    } while (--n);
    left -= 64;
    if (left <= 0) return;
    at += 64;
  }
}

INL __mmask16 first16(int64_t n) { return n < 16 ? 0xffff >> (16 - n) : 0xffff; }

INL __m512i bound() { return _mm512_castps_si512(constant512(16383)); }

// Equation 8, from sums of int8: v = min(max(rne(f32(sum - pixels*(z - 128)) * m), -16383), 16383).
KERNEL squeezeVNNI(const squeeze_args *g) {
  const __m512i pixels = _mm512_set1_epi32(g->pixels), offset = _mm512_slli_epi32(pixels, 7);
  const __m512i most = bound(), least = _mm512_sub_epi32(_mm512_setzero_si512(), most);
  const int32_t *sum = g->sum, *zero = g->in_zero;
  const float *m = g->m;
  int16_t *v = g->v;
  PLAIN for (int64_t n = g->channels; n > 0; n -= 16, sum += 16, zero += 16, m += 16, v += 16) {
    const __mmask16 keep = first16(n);
    __m512i s = _mm512_sub_epi32(_mm512_maskz_loadu_epi32(keep, sum), _mm512_mullo_epi32(pixels, _mm512_maskz_loadu_epi32(keep, zero)));
    s = _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_cvtepi32_ps(_mm512_add_epi32(s, offset)), _mm512_maskz_loadu_ps(keep, m)));
    _mm512_mask_cvtepi32_storeu_epi16(v, keep, _mm512_min_epi32(_mm512_max_epi32(s, least), most));
  }
}

// The end of equation 9: v = min(max(rne(m), 0), 16383).
KERNEL innerVNNI(const squeeze_args *g) {
  const __m512i most = bound();
  const float *m = g->m;
  int16_t *v = g->v;
  PLAIN for (int64_t n = g->channels; n > 0; n -= 16, m += 16, v += 16) {
    const __mmask16 keep = first16(n);
    __m512i s = _mm512_cvtps_epi32(_mm512_maskz_loadu_ps(keep, m));
    _mm512_mask_cvtepi32_storeu_epi16(v, keep, _mm512_min_epi32(_mm512_max_epi32(s, _mm512_setzero_si512()), most));
  }
}

// Equation 10 with hard_sigmoid: f = gate * min(max(m + 0.5, 0), 1).
KERNEL gateVNNI(const squeeze_args *g) {
  const clamp k = clamp_of<HARD_SWISH>();
  const float *m = g->m, *scale = g->gate;
  float *f = g->f;
  PLAIN for (int64_t n = g->channels; n > 0; n -= 16, m += 16, scale += 16, f += 16) {
    const __mmask16 keep = first16(n);
    __m512 v = _mm512_add_ps(_mm512_maskz_loadu_ps(keep, m), k.half);
    v = _mm512_min_ps(_mm512_max_ps(v, _mm512_setzero_ps()), k.one);
    _mm512_mask_storeu_ps(f, keep, _mm512_mul_ps(_mm512_maskz_loadu_ps(keep, scale), v));
  }
}

// Equation 6 for one row of s16 inputs. Panel: [K/2][NV*16 columns][2].
template <int NV> INL void wide(const gemm_args *g) {
  __m512i acc[2][NV];
  UNROLL for (int v = 0; v < NV; v++) {
    acc[0][v] = _mm512_loadu_si512(g->p + 16*v);
    acc[1][v] = _mm512_setzero_si512();
  }
  const int8_t *a = g->a, *b = g->b;
  int64_t k = g->k;
  PLAIN for (; k >= 2; k -= 2) {
    UNROLL for (int i = 0; i < 2; i++) {
      UNROLL for (int v = 0; v < NV; v++) {
        __m512i w = _mm512_cvtepi8_epi16(_mm256_loadu_si256((const __m256i *)(b + 32*(NV*i + v))));
        acc[i][v] = _mm512_dpwssd_epi32(acc[i][v], w, _mm512_set1_epi32(*(const int32_t *)(a + 4*i)));
      }
    }
    a += 8; b += 64*NV;
  }
  if (k) {
    UNROLL for (int v = 0; v < NV; v++) {
      __m512i w = _mm512_cvtepi8_epi16(_mm256_loadu_si256((const __m256i *)(b + 32*v)));
      acc[0][v] = _mm512_dpwssd_epi32(acc[0][v], w, _mm512_set1_epi32(*(const int32_t *)a));
    }
  }
  float *c = (float *)g->c;
  UNROLL for (int v = 0; v < NV; v++) {
    __m512i s = _mm512_add_epi32(acc[0][v], acc[1][v]);
    _mm512_mask_storeu_ps(c + 16*v, g->mask >> 16*v, steps<FLOAT>(s, g->p + 16*v, 16*NV, s));
  }
}

KERNEL wideVNNI1x64(const gemm_args *g) { wide<4>(g); }
KERNEL wideVNNI1x16(const gemm_args *g) { wide<1>(g); }
