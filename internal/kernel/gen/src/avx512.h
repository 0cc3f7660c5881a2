#pragma once
#include <immintrin.h>
#include "kernel.h"

// HIDE for vectors. Such barriers keep their order: what is loaded through a pointer that is hidden
// after a vector is loaded after the vector was computed, so that fewer registers are in use.
template <int N> INL void hide(__m512i (&v)[N]) {
  UNROLL for (int i = 0; i < N; i++) asm volatile("" : "+v"(v[i]));
}

INL __m512 constant512(int32_t bits) {
  HIDE(bits);
  return _mm512_castsi512_ps(_mm512_set1_epi32(bits));
}

// All tensors are u8, q + 128, and so are the zero points of the block p.

// u of equation 3 or 3r, for 16 channels; w is the width of the block p, r the residual.
template <int64_t MODE> INL __m512 steps(__m512i acc, const float *p, int w, __m512i r) {
  __m512 u = _mm512_mul_ps(_mm512_cvtepi32_ps(acc), _mm512_loadu_ps(p + MULTIPLIER*w));
  if (MODE == RESIDUAL) {
    __m512i d = _mm512_sub_epi32(r, _mm512_loadu_si512(p + RESIDUAL_ZERO*w));
    u = _mm512_add_ps(u, _mm512_mul_ps(_mm512_cvtepi32_ps(d), _mm512_loadu_ps(p + RESIDUAL_M*w)));
  }
  return u;
}

// What hard_swish clamps with. Registers that are set before a loop: set in it, they would compete with
// the shuffles.
struct clamp { __m512 half, one; };
template <int64_t MODE> INL clamp clamp_of() {
  if (MODE != HARD_SWISH) return {_mm512_setzero_ps(), _mm512_setzero_ps()};
  return {constant512(0x3f000000), constant512(0x3f800000)};
}

// Equations 4 and 5 up to the zero point.
template <int64_t MODE> INL __m512i nearest(__m512 u, const float *p, int w, const clamp &k) {
  if (MODE == RELU6) u = _mm512_min_ps(u, _mm512_loadu_ps(p + BOUND*w));
  if (MODE == HARD_SWISH) {
    __m512 v = _mm512_add_ps(_mm512_mul_ps(u, _mm512_loadu_ps(p + BOUND*w)), k.half);
    u = _mm512_mul_ps(u, _mm512_min_ps(_mm512_max_ps(v, _mm512_setzero_ps()), k.one));
  }
  return _mm512_cvtps_epi32(u);
}

// The rest of equation 5 for four vectors, the bytes of which alternate by fours in each lane. The zero
// points are added to 16-bit values, two vectors at once: what saturates here is out of range with any.
struct zeros { __m512i z01, z23; };
INL zeros zeros_of(__m512i z0, __m512i z1, __m512i z2, __m512i z3) { return {_mm512_packs_epi32(z0, z1), _mm512_packs_epi32(z2, z3)}; }
INL zeros zeros_of(const float *p, int w) {
  const int32_t *z = (const int32_t *)p + ZERO*w;
  return zeros_of(_mm512_loadu_si512(z), _mm512_loadu_si512(z + 16), _mm512_loadu_si512(z + 32), _mm512_loadu_si512(z + 48));
}
INL __m512i saturated(__m512i q0, __m512i q1, __m512i q2, __m512i q3, const zeros &z) {
  __m512i x01 = _mm512_adds_epi16(_mm512_packs_epi32(q0, q1), z.z01), x23 = _mm512_adds_epi16(_mm512_packs_epi32(q2, q3), z.z23);
  return _mm512_packus_epi16(x01, x23);
}

// The rest of equation 5 for one vector, in order. The packing instruction takes its input for unsigned.
INL __m128i saturated(__m512i q, __m512i z) {
  return _mm512_cvtusepi32_epi8(_mm512_max_epi32(_mm512_add_epi32(q, z), _mm512_setzero_si512()));
}

// The inverse: bytes that alternate by fours in each lane, as four vectors.
INL void widen(__m512i x, __m512i (&v)[4]) {
  const __m512i none = _mm512_setzero_si512();
  __m512i lo = _mm512_unpacklo_epi8(x, none), hi = _mm512_unpackhi_epi8(x, none);
  asm volatile("" : "+v"(lo), "+v"(hi));   // or two steps would become a shuffle by a constant
  v[0] = _mm512_unpacklo_epi16(lo, none); v[1] = _mm512_unpackhi_epi16(lo, none);
  v[2] = _mm512_unpacklo_epi16(hi, none); v[3] = _mm512_unpackhi_epi16(hi, none);
}

// Sixteen bytes, made where they are used: the compiler would keep the constants in registers.
template <int64_t LO, int64_t HI> INL __m128i bytes() {
  int64_t lo, hi;
  asm volatile("movabsq %1, %0" : "=r"(lo) : "i"(LO));
  asm volatile("movabsq %1, %0" : "=r"(hi) : "i"(HI));
  return _mm_set_epi64x(hi, lo);
}

// Sixteen indices, the first in the lowest byte.
template <int64_t LO, int64_t HI> INL __m512i indices() { return _mm512_cvtepu8_epi32(bytes<LO, HI>()); }
