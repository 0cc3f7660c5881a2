// Depthwise int8 convolution for AVX-512 VNNI, on u8 (q + 128, and so the zero points).
//
// Four taps an instruction, and each input is brought into place once for all outputs that it takes
// part in: the three rows (or the first four of five) of one column and one channel make a 32-bit
// element, and a row of such columns, padding included, lies in a scratch buffer. A 3x3 output is
// three columns. Of a 5x5 window the bottom row remains: it makes elements of four neighbouring
// columns, quads, and the fifth tap is a part of a later output's quad.
#include "avx512.h"
#include "columns.h"

// Columns hold 64 channels as four vectors: lane l, element e of vector v is channel 16*l + 4*v + e. Unpacking
// bytes by fours leaves them so, and packing brings them back. Or they hold 16 channels in order.
enum { BIG = 256, SMALL = 64 };

INL void store64(int8_t *d, __m512i v0, __m512i v1, __m512i v2, __m512i v3) {
  __m512i l01 = _mm512_unpacklo_epi8(v0, v1), h01 = _mm512_unpackhi_epi8(v0, v1);
  __m512i l23 = _mm512_unpacklo_epi8(v2, v3), h23 = _mm512_unpackhi_epi8(v2, v3);
  _mm512_store_si512(d, _mm512_unpacklo_epi16(l01, l23));
  _mm512_store_si512(d + 64, _mm512_unpackhi_epi16(l01, l23));
  _mm512_store_si512(d + 128, _mm512_unpacklo_epi16(h01, h23));
  _mm512_store_si512(d + 192, _mm512_unpackhi_epi16(h01, h23));
}

// The columns of one row of outputs, channels from at on.
template <int KS> INL void columns64(columns_args *g, int64_t at) {
  int8_t *d = g->scratch, *bottom = g->bottom;
  PLAIN for (int part = 0; part < 3; part++) {
    int64_t n = (&g->left)[part], step = part == 1 ? g->channels : 0;
    if (n == 0) continue;
    const int8_t *q[KS];
    UNROLL for (int i = 0; i < KS; i++) q[i] = (part == 1 ? g->row[i] : g->pad) + at;
    PLAIN do {
      __m512i v3 = _mm512_setzero_si512();
      if (KS == 5) v3 = _mm512_loadu_si512(q[KS-2]);
      store64(d, _mm512_loadu_si512(q[0]), _mm512_loadu_si512(q[1]), _mm512_loadu_si512(q[2]), v3);
      d += BIG;
      if (KS == 5) {
        _mm512_store_si512(bottom, _mm512_loadu_si512(q[KS-1]));
        bottom += 64;
      }
      UNROLL for (int i = 0; i < KS; i++) q[i] += step;
    } while (--n);
  }
  if (KS == 5) {
    const int8_t *q = g->bottom;
    int64_t n = g->quads, dx = 64*g->dx, step = 64*g->quad_step;
    PLAIN do {
      store64(d, _mm512_load_si512(q), _mm512_load_si512(q + dx), _mm512_load_si512(q + 2*dx), _mm512_load_si512(q + 3*dx));
      d += BIG; q += step;
    } while (--n);
  }
}

// 16 channels of four taps, each in a lane, as elements in order.
INL __m512i column16(__m512i v, __m512i quarters, __m512i in_lane) {
  return _mm512_shuffle_epi8(_mm512_permutexvar_epi32(quarters, v), in_lane);
}

// Loads 16 channels into lane l of v; those of keep, if there are less in the image. A whole lane comes
// without a shuffle.
#define LANE(v, l, q) \
  if (MASKED) v = _mm512_inserti32x4(v, _mm_maskz_loadu_epi8(keep, q), l); \
  else v = _mm512_inserti32x4(v, _mm_loadu_si128((const __m128i *)(q)), l)

// The columns of one row of outputs, 16 channels.
template <bool MASKED, int KS> INL void columns16(columns_args *g, int64_t at, __mmask16 keep) {
  // Element 4*l + r is element 4*r + l; byte 4*c + r is byte 4*r + c.
  const __m128i turn = bytes<0x0d0905010c080400, 0x0f0b07030e0a0602>();
  const __m512i in_lane = _mm512_broadcast_i32x4(turn), quarters = _mm512_cvtepu8_epi32(turn);
  int8_t *d = g->scratch, *bottom = g->bottom;
  PLAIN for (int part = 0; part < 3; part++) {
    int64_t n = (&g->left)[part], step = part == 1 ? g->channels : 0;
    if (n == 0) continue;
    const int8_t *q[KS];
    UNROLL for (int i = 0; i < KS; i++) q[i] = (part == 1 ? g->row[i] : g->pad) + at;
    PLAIN do {
      UNROLL for (int i = 0; i < KS; i++) HIDE(q[i]);
      __m512i v = _mm512_setzero_si512();
      LANE(v, 0, q[0]); LANE(v, 1, q[1]); LANE(v, 2, q[2]);
      if (KS == 5) { LANE(v, 3, q[KS-2]); }
      _mm512_store_si512(d, column16(v, quarters, in_lane));
      d += SMALL;
      if (KS == 5) {
        _mm_store_si128((__m128i *)bottom, MASKED ? _mm_maskz_loadu_epi8(keep, q[KS-1]) : _mm_loadu_si128((const __m128i *)q[KS-1]));
        bottom += 16;
      }
      UNROLL for (int i = 0; i < KS; i++) q[i] += step;
    } while (--n);
  }
  if (KS == 5) {
    const __m128i *q = (const __m128i *)g->bottom;
    int64_t n = g->quads, dx = g->dx, step = g->quad_step;
    PLAIN do {
      __m512i v = _mm512_inserti32x4(_mm512_zextsi128_si512(_mm_load_si128(q)), _mm_load_si128(q + dx), 1);
      v = _mm512_inserti32x4(_mm512_inserti32x4(v, _mm_load_si128(q + 2*dx), 2), _mm_load_si128(q + 3*dx), 3);
      _mm512_store_si512(d, column16(v, quarters, in_lane));
      d += SMALL; q += step;
    } while (--n);
  }
}

// A row of outputs from its columns, three at a window.
template <int64_t MODE> INL void outputs64k3(columns_args *g, const int8_t *w, const float *p, int8_t *c) {
  const clamp k = clamp_of<MODE>();
  const zeros z = zeros_of(p, 64);
  __m512i wv[3][4];
  UNROLL for (int j = 0; j < 3; j++)
    UNROLL for (int v = 0; v < 4; v++) wv[j][v] = _mm512_load_si512(w + 256*j + 64*v);
  const int8_t *d = g->scratch;
  int64_t n = g->ow, dx = BIG*g->dx, sx = BIG*g->sx, step = g->channels;
  PLAIN do {
    HIDE(p);
    __m512i q[4];
    UNROLL for (int v = 0; v < 4; v++) {
      __m512i acc = _mm512_loadu_si512(p + 16*v);
      acc = _mm512_dpbusd_epi32(acc, _mm512_load_si512(d + 64*v), wv[0][v]);
      acc = _mm512_dpbusd_epi32(acc, _mm512_load_si512(d + dx + 64*v), wv[1][v]);
      acc = _mm512_dpbusd_epi32(acc, _mm512_load_si512(d + 2*dx + 64*v), wv[2][v]);
      q[v] = nearest<MODE>(steps<MODE>(acc, p + 16*v, 64, acc), p + 16*v, 64, k);
    }
    _mm512_storeu_si512(c, saturated(q[0], q[1], q[2], q[3], z));
    d += sx; c += step;
  } while (--n);
}

// Two outputs at a time, so that a vector of weights is loaded for both.
template <int64_t MODE> INL void outputs64k5(columns_args *g, const int8_t *w, const float *p, int8_t *c) {
  const clamp k = clamp_of<MODE>();
  const zeros z = zeros_of(p, 64);
  const int8_t *d = g->scratch, *quad = d + BIG*(g->left + g->inside + g->right);
  int64_t n = g->ow;
  for (;;) {
    HIDE(g); HIDE(p); HIDE(w);
    int64_t dx = BIG*g->dx, sx = n > 1 ? BIG*g->sx : 0;
    __m512i acc[2][4];
    UNROLL for (int v = 0; v < 4; v++) acc[0][v] = acc[1][v] = _mm512_loadu_si512(p + 16*v);
    const int8_t *x = d, *u = w;
    UNROLL for (int j = 0; j < 5; j++) {
      UNROLL for (int v = 0; v < 4; v++) {
        __m512i wv = _mm512_load_si512(u + 64*v);
        acc[0][v] = _mm512_dpbusd_epi32(acc[0][v], _mm512_load_si512(x + 64*v), wv);
        acc[1][v] = _mm512_dpbusd_epi32(acc[1][v], _mm512_load_si512(x + sx + 64*v), wv);
      }
      u += 256; x += dx;
      hide(acc[0]); hide(acc[1]);
      HIDE(u); HIDE(x);
    }
    HIDE(g);
    int64_t qx = n > 1 ? BIG*g->quad_x : 0, last = BIG*g->quad_last;
    x = quad;
    UNROLL for (int j = 5; j < 7; j++) {
      UNROLL for (int v = 0; v < 4; v++) {
        __m512i wv = _mm512_load_si512(u + 64*v);
        acc[0][v] = _mm512_dpbusd_epi32(acc[0][v], _mm512_load_si512(x + 64*v), wv);
        acc[1][v] = _mm512_dpbusd_epi32(acc[1][v], _mm512_load_si512(x + qx + 64*v), wv);
      }
      u += 256; x += last;
      hide(acc[0]); hide(acc[1]);
      HIDE(u); HIDE(x);
    }
    int64_t step = n > 1 ? g->channels : 0;
    UNROLL for (int i = 0; i < 2; i++) {
      hide(acc[i]);
      HIDE(p);
      __m512i q[4];
      UNROLL for (int v = 0; v < 4; v++)
        q[v] = nearest<MODE>(steps<MODE>(acc[i][v], p + 16*v, 64, acc[i][v]), p + 16*v, 64, k);
      _mm512_storeu_si512(c + i*step, saturated(q[0], q[1], q[2], q[3], z));
    }
    n -= 2;
    if (n <= 0) return;
    int64_t by = n > 1 ? 2 : 1;   // the last two overlap those before
    d += by*sx; c += by*step; quad += by*qx;
    n += n == 1;
  }
}

// The sum of one output of 16 channels.
template <int KS> INL __m512i sum16(const int8_t *d, int64_t dx, const int8_t *quad, int64_t last, const __m512i *wv, const float *p) {
  __m512i acc = _mm512_loadu_si512(p);
  UNROLL for (int j = 0; j < KS; j++) {
    acc = _mm512_dpbusd_epi32(acc, _mm512_load_si512(d), wv[j]);
    d += dx;
    if (KS == 5) HIDE(d);   // rather than registers for multiples of dx
  }
  if (KS == 5) {
    acc = _mm512_dpbusd_epi32(acc, _mm512_load_si512(quad), wv[5]);
    acc = _mm512_dpbusd_epi32(acc, _mm512_load_si512(quad + last), wv[6]);
  }
  return acc;
}

template <int64_t MODE, bool MASKED, int KS> INL void outputs16(columns_args *g, const int8_t *w, const float *p, int8_t *c, __mmask16 keep) {
  const clamp k = clamp_of<MODE>();
  const __m512i z = _mm512_loadu_si512(p + ZERO*16), turn = indices<0x0d0905010c080400, 0x0f0b07030e0a0602>();
  const zeros zz = zeros_of(z, z, z, z);
  __m512i wv[7];
  UNROLL for (int t = 0; t < (KS == 3 ? 3 : 7); t++) wv[t] = _mm512_load_si512(w + 64*t);
  const int8_t *d = g->scratch, *quad = d + SMALL*(g->left + g->inside + g->right);
  int64_t n = g->ow, dx = SMALL*g->dx, last = SMALL*g->quad_last;
  if (!MASKED) {
    PLAIN for (; n >= 4; n -= 4) {   // four outputs to a pack
      __m512i q[4];
      UNROLL for (int i = 0; i < 4; i++) {
        HIDE(p); HIDE(g);
        __m512i acc = sum16<KS>(d, dx, quad, last, wv, p);
        q[i] = nearest<MODE>(steps<MODE>(acc, p, 16, acc), p, 16, k);
        d += SMALL*g->sx;
        if (KS == 5) quad += SMALL*g->quad_x;
      }
      __m512i x = _mm512_permutexvar_epi32(turn, saturated(q[0], q[1], q[2], q[3], zz));
      int64_t step = g->channels;
      if (step == 16) {
        _mm512_storeu_si512(c, x);
      } else {
        _mm_storeu_si128((__m128i *)c, _mm512_castsi512_si128(x));
        _mm_storeu_si128((__m128i *)(c + step), _mm512_extracti32x4_epi32(x, 1));
        _mm_storeu_si128((__m128i *)(c + 2*step), _mm512_extracti32x4_epi32(x, 2));
        _mm_storeu_si128((__m128i *)(c + 3*step), _mm512_extracti32x4_epi32(x, 3));
      }
      c += 4*step;
    }
  }
  PLAIN for (; n > 0; n--) {
    HIDE(p); HIDE(g);
    __m512i acc = sum16<KS>(d, dx, quad, last, wv, p);
    _mm_mask_storeu_epi8(c, keep, saturated(nearest<MODE>(steps<MODE>(acc, p, 16, acc), p, 16, k), z));
    d += SMALL*g->sx; c += g->channels;
    if (KS == 5) quad += SMALL*g->quad_x;
  }
}

// Images of eight channels: a column is half a vector, and so two neighbouring columns of the image, or the columns
// of two neighbouring outputs, are one. Weights and parameters are there twice.
enum { HALF = 32 };

// Where the columns begin: those inside of the image at a whole vector.
INL int8_t *columns_of(const columns_args *g) { return g->scratch + HALF*(g->left & 1); }

INL int8_t *same_columns(int8_t *d, int64_t n, __m256i v) {
  PLAIN for (; n > 0; n--, d += HALF) _mm256_store_si256((__m256i *)d, v);
  return d;
}

// The columns of one row of 3x3 outputs.
INL void columns8(columns_args *g) {
  const __m128i turn = bytes<0x0d0905010c080400, 0x0f0b07030e0a0602>();
  const __m512i in_lane = _mm512_broadcast_i32x4(turn), quarters = _mm512_cvtepu8_epi32(turn);
  const __m256i pad = _mm512_castsi512_si256(column16(_mm512_set1_epi64(*(const int64_t *)g->pad), quarters, in_lane));
  int8_t *d = same_columns(columns_of(g), g->left, pad);
  const int8_t *q0 = g->row[0], *q1 = g->row[1], *q2 = g->row[2];
  int64_t n = g->inside;
  PLAIN for (; n > 1; n -= 2) {
    __m512i v = _mm512_zextsi128_si512(_mm_loadu_si128((const __m128i *)q0));
    v = _mm512_inserti32x4(v, _mm_loadu_si128((const __m128i *)q1), 1);
    v = _mm512_inserti32x4(v, _mm_loadu_si128((const __m128i *)q2), 2);
    _mm512_store_si512(d, column16(v, quarters, in_lane));
    d += 2*HALF; q0 += 16; q1 += 16; q2 += 16;
  }
  if (n > 0) {
    __m512i v = _mm512_zextsi128_si512(_mm_loadl_epi64((const __m128i *)q0));
    v = _mm512_inserti32x4(v, _mm_loadl_epi64((const __m128i *)q1), 1);
    v = _mm512_inserti32x4(v, _mm_loadl_epi64((const __m128i *)q2), 2);
    d = same_columns(d, 1, _mm512_castsi512_si256(column16(v, quarters, in_lane)));
  }
  same_columns(d, g->right, pad);
}

// The sums of two outputs, sx bytes of columns apart.
INL __m512i sum8(const int8_t *d, int64_t dx, int64_t sx, const __m512i *wv, const float *p) {
  __m512i acc = _mm512_loadu_si512(p);
  const int8_t *e = d + sx;
  UNROLL for (int j = 0; j < 3; j++) {
    __m512i x = _mm512_inserti64x4(_mm512_castsi256_si512(_mm256_load_si256((const __m256i *)d)), _mm256_load_si256((const __m256i *)e), 1);
    acc = _mm512_dpbusd_epi32(acc, x, wv[j]);
    d += dx; e += dx;
    HIDE(d); HIDE(e);   // rather than registers for multiples of dx
  }
  return acc;
}

template <int64_t MODE> INL void outputs8(columns_args *g, const int8_t *w, const float *p, int8_t *c) {
  const clamp k = clamp_of<MODE>();
  const __m512i z = _mm512_loadu_si512(p + ZERO*16), turn = indices<0x0d0905010c080400, 0x0f0b07030e0a0602>();
  const zeros zz = zeros_of(z, z, z, z);
  __m512i wv[3];
  UNROLL for (int t = 0; t < 3; t++) wv[t] = _mm512_load_si512(w + 64*t);
  const int8_t *d = columns_of(g);
  int64_t n = g->ow, dx = HALF*g->dx, sx = HALF*g->sx;
  PLAIN for (; n >= 8; n -= 8) {
    __m512i q[4];
    UNROLL for (int i = 0; i < 4; i++) {
      HIDE(p); HIDE(g);
      __m512i acc = sum8(d, dx, sx, wv, p);
      q[i] = nearest<MODE>(steps<MODE>(acc, p, 16, acc), p, 16, k);
      d += 2*sx; HIDE(d);
    }
    _mm512_storeu_si512(c, _mm512_permutexvar_epi32(turn, saturated(q[0], q[1], q[2], q[3], zz)));
    c += 64;
  }
  PLAIN for (; n > 0; n -= 2) {
    HIDE(p);
    __m512i acc = sum8(d, dx, n > 1 ? sx : 0, wv, p);
    _mm_mask_storeu_epi8(c, n > 1 ? 0xffff : 0xff, saturated(nearest<MODE>(steps<MODE>(acc, p, 16, acc), p, 16, k), z));
    d += 2*sx; c += 16;
  }
}

#define MODES(OUTPUTS) \
  switch (g->mode) { \
  case RELU6: OUTPUTS(RELU6); break; \
  case HARD_SWISH: OUTPUTS(HARD_SWISH); break; \
  default: OUTPUTS(IDENTITY); \
  }

// Runs BLOCK for each block of CB channels, WB bytes of weights each, of each row of outputs. The
// fields of g that it changes are its memory.
#define ROWS(KS, CB, WB, BLOCK) \
  g->row_c = g->c; \
  PLAIN do { \
    find_rows<KS>(g); \
    g->block_w = g->w; g->block_p = g->p; \
    g->at = g->first; g->left_blocks = g->blocks; \
    for (;;) { \
      HIDE(g); \
      BLOCK; \
      HIDE(g); \
      if (--g->left_blocks == 0) break; \
      g->block_w += WB; g->block_p += 6*CB; \
      int64_t at = g->at + CB; \
      HIDE(at); \
      g->at = at > g->last ? g->last : at; \
    } \
    g->row_c += g->ldc; \
  } while (--g->rows);

template <int KS> INL void block64(columns_args *g) {
  columns64<KS>(g, g->at);
  HIDE(g);
#define OUTPUTS(MODE) if (KS == 3) outputs64k3<MODE>(g, g->block_w, g->block_p, g->row_c + g->at); else outputs64k5<MODE>(g, g->block_w, g->block_p, g->row_c + g->at)
  MODES(OUTPUTS)
#undef OUTPUTS
}

template <bool MASKED, int KS> INL void block16(columns_args *g) {
  columns16<MASKED, KS>(g, g->at, g->mask);
  HIDE(g);
#define OUTPUTS(MODE) outputs16<MODE, MASKED, KS>(g, g->block_w, g->block_p, g->row_c + g->at, g->mask)
  MODES(OUTPUTS)
#undef OUTPUTS
}

INL void block8(columns_args *g) {
  columns8(g);
  HIDE(g);
#define OUTPUTS(MODE) outputs8<MODE>(g, g->block_w, g->block_p, g->row_c)
  MODES(OUTPUTS)
#undef OUTPUTS
}

KERNEL depthwiseVNNIk3x64(columns_args *g) { ROWS(3, 64, 3*256, block64<3>(g)) }
KERNEL depthwiseVNNIk5x64(columns_args *g) { ROWS(5, 64, 7*256, block64<5>(g)) }
KERNEL depthwiseVNNIk3x16(columns_args *g) { ROWS(3, 16, 3*64, (block16<false, 3>(g))) }
KERNEL depthwiseVNNIk5x16(columns_args *g) { ROWS(5, 16, 7*64, (block16<false, 5>(g))) }
// For less than 16 channels.
KERNEL depthwiseVNNIk3(columns_args *g) { ROWS(3, 16, 3*64, (block16<true, 3>(g))) }
KERNEL depthwiseVNNIk5(columns_args *g) { ROWS(5, 16, 7*64, (block16<true, 5>(g))) }
// For 8 channels.
KERNEL depthwiseVNNIk3x8(columns_args *g) { ROWS(3, 16, 3*64, block8(g)) }
