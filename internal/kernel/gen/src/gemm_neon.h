// What the GEMM kernels of every arm64 level share.
#pragma once
#include "neon.h"
#include "gemm.h"

// Runs tile(a, c, r) over all rows: it computes MR rows and moves the pointers c and r on to the next. The
// last tile overlaps the one before, so that no row needs a mask.
template <int MR, class TILE> INL void rows(const gemm_args *g, TILE tile) {
  const int8_t *a = g->a, *r = g->r;
  int8_t *c = g->c;
  const int64_t lda = g->lda;
  int64_t m = g->m;
  for (;;) {
    tile(a, lda, c, r);
    m -= MR;
    if (m <= 0) return;
    a += MR*lda;
    if (m < MR) {
      asm volatile("");   // a branch is cheaper than to multiply by a step that is almost always the same
      const int64_t back = MR - m;
      a -= back*lda; c -= back*g->ldc; r -= back*g->ldc;
      m = MR;
    }
  }
}

// Calls RUN(mode) with the mode as a constant; FLOAT is for kernels of one row.
#define BY_INT_MODE(RUN) \
  switch (g->mode) { \
  case IDENTITY: RUN(IDENTITY); break; \
  case RELU6: RUN(RELU6); break; \
  case HARD_SWISH: RUN(HARD_SWISH); break; \
  default: RUN(RESIDUAL); \
  }
