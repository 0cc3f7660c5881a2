// What every kernel is written in.
#pragma once
#include <stdint.h>

#define INL static inline __attribute__((always_inline))
#define INL_MEMBER __attribute__((always_inline))
// No register but the frame pointer is preserved, so nothing is pushed; the one
// argument arrives in R12 (amd64) or X20 (arm64).
#define KERNEL extern "C" __attribute__((preserve_none)) void
#define UNROLL _Pragma("clang loop unroll(full)")
#define PLAIN _Pragma("clang loop vectorize(disable) interleave(disable) unroll(disable)")
// Keeps the compiler from knowing x: from folding a constant into the literal
// pool, and from hoisting loads through a pointer until registers run out.
#define HIDE(x) asm volatile("" : "+r"(x))

// The end of a kernel: equations 3 to 5, 3r and 6 of docs/arithmetic.md.
enum mode : int64_t { IDENTITY, RELU6, HARD_SWISH, RESIDUAL, FLOAT };

// Offsets into a block of per-channel parameters, in units of its width W: int32
// bias, float m, int32 z_y, float t or g, float k, int32 z_r.
enum { BIAS, MULTIPLIER, ZERO, BOUND, RESIDUAL_M, RESIDUAL_ZERO };
