/* SPDX-License-Identifier: Apache-2.0
 * kernels/x86/block_amx.h - linear layers, attention and convolutions on matrix tiles, a part of block_simd.h.
 * In a product of tiles the left side is [16 outputs][16 words] of weights, keys or values, the right side [16
 * words][16 lanes] of a panel, and the sums are [16 outputs][16 lanes] of floats. Each product of tiles adds the sum of
 * its 32 inputs to its result with two roundings, so how a long sum is split into tiles (pack.h) is part of the
 * result's bits. Tiles are configured once per task (task_begin_tiles): eight, all of 16 rows of 64 bytes. */

#define TILE SWIN2SR__TILE
#define TILE_WORDS (TILE * TILE)

/* The palette with eight tiles of up to 16 rows of 64 bytes. */
typedef struct tile_config {
    uint8_t palette, start_row, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
} tile_config;

/* clang-format off */
static const __attribute__((aligned(64))) tile_config eight_tiles = {
    .palette = 1, .row_bytes = {64, 64, 64, 64, 64, 64, 64, 64}, .rows = {16, 16, 16, 16, 16, 16, 16, 16}};
/* clang-format on */

static void task_begin_tiles(void) {
    tiles_configure(&eight_tiles);
}

/* Sixteen outputs of all lanes: sums [16][64] += left side x panel.
 * starts  [16][64] what the sums begin with; NULL: zeros.
 * left    tiles, `step` floats from one to the next, rows `stride` bytes apart.
 * words   of the panel, at least 16. */
static void tile_sums(float *sums, const float *starts, const float *left, ptrdiff_t step, ptrdiff_t stride,
                      const float *panel, int32_t words) {
    enum {
        ROW = T * sizeof(float)
    };
    if (starts) {
        tile_load(0, starts, ROW);
        tile_load(1, starts + TILE, ROW);
        tile_load(2, starts + 2 * TILE, ROW);
        tile_load(3, starts + 3 * TILE, ROW);
    } else {
        tile_zero(0);
        tile_zero(1);
        tile_zero(2);
        tile_zero(3);
    }
    for (int32_t tile = 0; tile * TILE < words; tile++, left += step) {
        const float *right = panel + swin2sr__tile_start(tile, words) * T;
        tile_load(4, left, stride);
        tile_load(6, right, ROW);
        tile_dot(0, 4, 6);
        tile_load(7, right + TILE, ROW);
        tile_dot(1, 4, 7);
        tile_load(6, right + 2 * TILE, ROW);
        tile_dot(2, 4, 6);
        tile_load(7, right + 3 * TILE, ROW);
        tile_dot(3, 4, 7);
    }
    tile_store(0, sums, ROW);
    tile_store(1, sums + TILE, ROW);
    tile_store(2, sums + 2 * TILE, ROW);
    tile_store(3, sums + 3 * TILE, ROW);
}

/* A panel of at least 16 words: the given one, or a copy that ends in zeros. */
static const float *fill_panel(float copy[TILE * T], const float *panel, int32_t words) {
    if (words >= TILE)
        return panel;
    memcpy(copy, panel, (size_t)words * T * sizeof *copy);
    memset(copy + words * T, 0, (size_t)(TILE - words) * T * sizeof *copy);
    return copy;
}

/* Adds the bias to `rows` (even) sums, in place, and their squares to `squares`; writes them to y unless it is NULL. */
INLINE void finish_sums(float *y, float *squares, float *sums, const float *bias, int32_t rows) {
    for (int32_t t = 0; t < T; t += VL) {
        vf square = squares ? v_load(squares + t) : v_set(0.0f);
        for (int32_t i = 0; i < rows; i++) {
            vf value = v_add(v_load(sums + i * T + t), v_bcast(bias + i));
            if (squares)
                square = v_fma(value, value, square);
            v_store((y ? y : sums) + i * T + t, value);
        }
        if (squares)
            v_store(squares + t, square);
    }
}

INLINE void linear_tiles_any(float *y, float *squares, const float *x, const swin2sr__linear *linear, linear_end end) {
    float sums[TILE * T] __attribute__((aligned(64))), copy[TILE * T] __attribute__((aligned(64)));
    int32_t words = (linear->inputs + 1) / 2;
    const float *left = linear->weights, *panel = fill_panel(copy, x, words);
    words = words < TILE ? TILE : words;
    for (int32_t n = 0; n < linear->outputs; n += TILE, left += (words + TILE - 1) / TILE * TILE_WORDS) {
        int32_t rows = linear->outputs - n < TILE ? linear->outputs - n : TILE;
        tile_sums(sums, NULL, left, TILE_WORDS, TILE * sizeof *left, panel, words);
        finish_sums(end == LINEAR_GELU ? NULL : y + n * T, squares, sums, linear->bias + n, rows);
        if (end == LINEAR_GELU)
            gelu_rows(y + n / PAIR * T, sums, rows);
    }
}

static void linear_tiles(float *y, const float *x, const swin2sr__linear *linear) {
    linear_tiles_any(y, NULL, x, linear, LINEAR_PLAIN);
}

static void linear_gelu_tiles(float *panel, const float *x, const swin2sr__linear *linear) {
    linear_tiles_any(panel, NULL, x, linear, LINEAR_GELU);
}

static void linear_squares_tiles(float *y, float *squares, const float *x, const swin2sr__linear *linear) {
    memset(squares, 0, T * sizeof *squares);
    linear_tiles_any(y, squares, x, linear, LINEAR_SQUARES);
}

/* 16 x 16 words, rows to columns. Each round turns the eight bits of (row, column) by one: a row is half of two woven
 * together. */
INLINE void transpose(vf rows[TILE]) {
    static const int32_t low[TILE]
        __attribute__((aligned(64))) = {0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23},
        high[TILE] __attribute__((aligned(64))) = {8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
#pragma GCC unroll 4
    for (int32_t round = 0; round < 4; round++) {
        vf woven[TILE];
#pragma GCC unroll 8
        for (int32_t i = 0; i < TILE / 2; i++) {
            woven[2 * i] = _mm512_permutex2var_ps(rows[i], _mm512_load_si512(low), rows[i + TILE / 2]);
            woven[2 * i + 1] = _mm512_permutex2var_ps(rows[i], _mm512_load_si512(high), rows[i + TILE / 2]);
        }
        memcpy(rows, woven, sizeof woven);
    }
}

/* Sixteen keys of a panel [words][64] as the left side of a product: tiles of [16 keys][16 words]. */
static void put_keys(float *tiles, const float *keys, int32_t words) {
    for (int32_t tile = 0; tile * TILE < words; tile++, tiles += TILE_WORDS) {
        const float *from = keys + swin2sr__tile_start(tile, words) * T;
        vf rows[TILE];
        for (int32_t w = 0; w < TILE; w++)
            rows[w] = swin2sr__tile_uses(tile, w, words) ? v_load(from + w * T) : v_set(0.0f);
        transpose(rows);
        for (int32_t i = 0; i < TILE; i++)
            v_store(tiles + i * TILE, rows[i]);
    }
}

/* Softmax's weights x values: panel of D from weights [words][64], `words` a multiple of 16, and values [D][32] words,
 * of which at least 16 rows can be read. */
static void value_sums(float *out, const float *weights, int32_t words, const float *values, int32_t D,
                       const float *shares) {
    float sums[TILE * T] __attribute__((aligned(64)));
    for (int32_t n = 0; n < D; n += TILE) {
        int32_t d = D < TILE ? 0 : n < D - TILE ? n : D - TILE, rows = D < TILE ? D : TILE;
        tile_sums(sums, NULL, values + d * (T / PAIR), TILE, T / PAIR * sizeof *values, weights, words);
        for (int32_t i = 0; i < rows; i += 2) {
            for (int32_t t = 0; t < T; t += VL)
                v_store_panel(out + t, d + i, v_mul(v_load(sums + i * T + t), v_load(shares + t)),
                              v_mul(v_load(sums + (i + 1) * T + t), v_load(shares + t)));
        }
    }
}

enum {
    MAX_TILED_DIM = 128 /* of a head; keys lie on the stack */
};

/* Groups of 16 keys and of 16 channels: the last overlaps the one before it if their number is not a multiple. */
static void attention_tiles(float *out, float *qkv, const swin2sr__attention_head *head, const uint8_t *region,
                            float *scores) {
    float copy[TILE * T] __attribute__((aligned(64))), tiles[MAX_TILED_DIM / 2 * T] __attribute__((aligned(64))),
        few[TILE * T / PAIR] __attribute__((aligned(64))), shares[T] __attribute__((aligned(64)));
    int32_t D = head->dim, words = D / 2, steps = (words + TILE - 1) / TILE, keys = head->keys;
    float *values = D < TILE ? few : qkv + 2 * D * T;
    if (D > MAX_TILED_DIM || keys < TILE) {
        attention_simd(out, qkv, head, region, scores);
        return;
    }
    normalize(qkv, D, head->scale);
    normalize(qkv + D * T, D, 1.0f);
    for (int32_t d = 0; d < D; d++)
        compact_row(values + d * (T / PAIR), qkv + (2 * D + d) * T);
    if (D < TILE)
        memset(few + D * (T / PAIR), 0, (size_t)(TILE - D) * (T / PAIR) * sizeof *few);
    const float *q = fill_panel(copy, qkv, words);
    for (int32_t key = 0; key < keys; key += TILE)
        put_keys(tiles + key / TILE * steps * TILE_WORDS, qkv + D * T + (key < keys - TILE ? key : keys - TILE), words);
    for (int32_t key = 0; key < keys; key += TILE) {
        int32_t first = key < keys - TILE ? key : keys - TILE;
        tile_sums(scores + first * T, head->bias + first * T, tiles + key / TILE * steps * TILE_WORDS, TILE_WORDS,
                  TILE * sizeof *tiles, q, words < TILE ? TILE : words);
    }
    for (int32_t t = 0; t < T; t += STRIDE)
        softmax(scores, shares + t, head, region, t);
    int32_t used = keys / 2, padded = (used + TILE - 1) / TILE * TILE;
    memset(scores + used * T, 0, (size_t)(padded - used) * T * sizeof *scores); /* were logits of other keys */
    value_sums(out, scores, padded, values, D, shares);
}

/* Blocks of 16 columns that a convolution reads: those that it makes, one to the left and one to the right. */
enum {
    CONV_BLOCKS = SWIN2SR__CONV_COLUMNS / TILE
};

/* The rows of all inputs as tiles [row][tile][block] of [16 words][16 columns], filled up with zeros. */
static void put_conv_rows(float *tiles, const swin2sr__conv *conv, int32_t steps) {
    for (int32_t row = 0; row < conv->rows + 2; row++, tiles += (ptrdiff_t)steps * CONV_BLOCKS * TILE_WORDS) {
        int32_t word = 0;
        for (int32_t i = 0; i < conv->inputs_count; i++) {
            const float *from = conv->inputs[i].rows[row] - TILE;
            for (int32_t c = 0; c < conv->inputs[i].channels; c++, word++, from += conv->inputs[i].strides[row]) {
                float *to = tiles + (ptrdiff_t)(word / TILE * CONV_BLOCKS) * TILE_WORDS + word % TILE * TILE;
                for (int32_t block = 0; block < conv->units + 2; block++)
                    v_store(to + block * TILE_WORDS, v_load(from + block * TILE));
            }
        }
        for (; word < steps * TILE; word++) {
            float *to = tiles + (ptrdiff_t)(word / TILE * CONV_BLOCKS) * TILE_WORDS + word % TILE * TILE;
            for (int32_t block = 0; block < conv->units + 2; block++)
                v_store(to + block * TILE_WORDS, v_set(0.0f));
        }
    }
}

/* Sums of 16 outputs, for each kx on its own, of columns that are not moved: [kx][16][SWIN2SR__CONV_COLUMNS]. */
typedef float conv_sums[3][TILE][SWIN2SR__CONV_COLUMNS];

enum {
    SUMS_STRIDE = SWIN2SR__CONV_COLUMNS * sizeof(float)
};

/* Blocks `block` and `block` + 1, every kx. steps  tiles of all three rows: they follow each other on both sides. */
static void conv_block_sums(conv_sums sums, const float *tiles, const float *w, int32_t steps, int32_t block) {
    const float *right = tiles + block * TILE_WORDS;
    tile_zero(0);
    tile_zero(1);
    tile_zero(2);
    tile_zero(3);
    tile_zero(4);
    tile_zero(5);
    for (int32_t i = 0; i < steps; i++, right += CONV_BLOCKS * TILE_WORDS, w += 3 * TILE_WORDS) {
        tile_load(6, right, 64);
        tile_load(7, w, 64);
        tile_dot(0, 7, 6);
        tile_load(7, w + TILE_WORDS, 64);
        tile_dot(1, 7, 6);
        tile_load(7, w + 2 * TILE_WORDS, 64);
        tile_dot(2, 7, 6);
        tile_load(6, right + TILE_WORDS, 64);
        tile_dot(5, 7, 6);
        tile_load(7, w + TILE_WORDS, 64);
        tile_dot(4, 7, 6);
        tile_load(7, w, 64);
        tile_dot(3, 7, 6);
    }
    tile_store(0, &sums[0][0][block * TILE], SUMS_STRIDE);
    tile_store(1, &sums[1][0][block * TILE], SUMS_STRIDE);
    tile_store(2, &sums[2][0][block * TILE], SUMS_STRIDE);
    tile_store(3, &sums[0][0][(block + 1) * TILE], SUMS_STRIDE);
    tile_store(4, &sums[1][0][(block + 1) * TILE], SUMS_STRIDE);
    tile_store(5, &sums[2][0][(block + 1) * TILE], SUMS_STRIDE);
}

/* What the columns beside those that are made add to them: the last one of block 0 by kx = 0, the first one of block
 * `last` by kx = 2. */
static void conv_edge_sums(conv_sums sums, const float *tiles, const float *w, int32_t steps, int32_t last) {
    tile_zero(0);
    tile_zero(1);
    for (int32_t i = 0; i < steps; i++, tiles += CONV_BLOCKS * TILE_WORDS, w += 3 * TILE_WORDS) {
        tile_load(6, tiles, 64);
        tile_load(7, w, 64);
        tile_dot(0, 7, 6);
        tile_load(6, tiles + last * TILE_WORDS, 64);
        tile_load(7, w + 2 * TILE_WORDS, 64);
        tile_dot(1, 7, 6);
    }
    tile_store(0, &sums[0][0][0], SUMS_STRIDE);
    tile_store(1, &sums[2][0][last * TILE], SUMS_STRIDE);
}

/* `rows` outputs of one row: y[n][t] = act(kx 0 at t - 1 + kx 1 at t + kx 2 at t + 1 + bias). */
static void conv_finish(float *y, conv_sums sums, const float *bias, int32_t rows, int32_t lanes, float slope) {
    for (int32_t i = 0; i < rows; i++) {
        vf b = v_bcast(bias + i);
        for (int32_t t = 0; t < lanes; t += VL) {
            vf value = v_add(v_load(&sums[0][i][TILE + t - 1]), v_load(&sums[1][i][TILE + t]));
            store_leaky(y + i * T + t, v_add(v_add(value, v_load(&sums[2][i][TILE + t + 1])), b), slope);
        }
    }
}

static void conv3x3_panel_tiles(float *y, const swin2sr__conv *conv) {
    conv_sums sums __attribute__((aligned(64)));
    int32_t steps = (all_channels(conv) + TILE - 1) / TILE, outputs = conv->linear->outputs;
    const float *w = conv->linear->weights;
    put_conv_rows(conv->scratch, conv, steps);
    for (int32_t n = 0; n < outputs; n += TILE, w += (ptrdiff_t)(9 * steps) * TILE_WORDS) {
        for (int32_t row = 0; row < conv->rows; row++) {
            const float *tiles = conv->scratch + (ptrdiff_t)(row * steps) * CONV_BLOCKS * TILE_WORDS;
            for (int32_t block = 1; block <= conv->units; block += 2)
                conv_block_sums(sums, tiles, w, 3 * steps, block);
            conv_edge_sums(sums, tiles, w, 3 * steps, conv->units + 1);
            conv_finish(y + ((ptrdiff_t)row * outputs + n) * T, sums, conv->linear->bias + n,
                        outputs - n < TILE ? outputs - n : TILE, conv->units * SWIN2SR__UNIT, conv->slope);
        }
    }
}

/* Products of tiles alone, four or six sums in turn. */
static double fma_burst_tiles(int32_t shape) {
    enum {
        ROUNDS = 20000
    };
    task_begin_tiles();
    for (int32_t i = 0; i < ROUNDS; i++) {
        tile_dot(0, 6, 7);
        tile_dot(1, 6, 7);
        tile_dot(2, 6, 7);
        tile_dot(3, 6, 7);
        if (shape) {
            tile_dot(4, 6, 7);
            tile_dot(5, 6, 7);
        }
    }
    tiles_release();
    return (shape ? 6.0 : 4.0) * ROUNDS * TILE * TILE * 2 * TILE;
}
