#pragma once
#include "kernel.h"

// Mirrored by columnsArgs in depthwise_columns.go: fields of 8 bytes only.
struct columns_args {
  const int8_t *src;       // the image's first column here, channel 0
  const int8_t *pad;       // zero points, as many pixels as a row has
  int64_t pitch;           // bytes from row to row of the image
  int64_t height;          // rows of the image
  int64_t ring;            // row y lies where row y mod ring does
  int64_t left, inside, right;  // padded columns: outside of the image, inside, outside
  int64_t channels;        // bytes from pixel to pixel, of outputs too
  int64_t top;             // row of the image below the first output's first tap
  int64_t sy, dy;          // rows from output to output, from tap to tap
  int64_t sx, dx;          // columns from output to output, from tap to tap
  int8_t *c;               // the first row's first output, channel 0
  int64_t ldc;             // bytes from row to row of outputs
  int64_t ow;              // outputs of a row
  int64_t rows;            // of outputs
  const int8_t *w;         // packed blocks of weights
  const float *p;          // their parameters, kernel.h
  int64_t first, last;     // channel of the first block, and of the last, which may overlap the one before
  int64_t blocks;
  uint64_t mask;           // channels, where there are less than a block
  int8_t *scratch;         // columns, and behind them the bottom taps' row
  int8_t *bottom;
  int64_t quads;           // of the bottom row
  int64_t quad_step;       // columns from quad to quad
  int64_t quad_x;          // quads from output to output
  int64_t quad_last;       // quads from an output's to that with its last tap
  int64_t mode;
  // The kernel's own, which has more to remember than registers. The fields above it leaves alone but for
  // top and rows.
  const int8_t *row[5];    // rows of taps
  int8_t *row_c;
  int64_t at;              // of the block: channel, weights, parameters
  const int8_t *block_w;
  int64_t left_blocks;     // (between the two, or they would be added to as a vector constant)
  const float *block_p;
};

// Finds the rows of taps of the next row of outputs.
template <int KS> INL void find_rows(columns_args *g) {
  int64_t from = g->top;
  g->top += g->sy;
  PLAIN for (int i = 0; i < KS; i++, from += g->dy) {
    const int8_t *q = g->pad;
    if (from >= 0 && from < g->height) q = g->src + (from < g->ring ? from : from % g->ring)*g->pitch;
    g->row[i] = q;
  }
}
