/* SPDX-License-Identifier: Apache-2.0
 * kernels/simd/conv.h - 3x3 convolutions, included by block_simd.h: as plain sums, and in fp32 by Winograd's F(4, 3).
 * In: rows of words or floats.  Out: up to four rows of [N][64]. */

/* A register tile of `width` outputs by `vectors`. rows: 3 for a plain sum, 1 for transformed inputs. */
INLINE void convolve(vf acc[6][4], int32_t width, int32_t vectors, const swin2sr__conv_input *inputs, int32_t count,
                     int32_t y, int32_t rows, int32_t t, const float *w, const word_type type) {
    if (vectors == MAIN && width == 6)
        CONVOLVE_6(acc, inputs, count, y, rows, t, w, type);
    else if (vectors == MAIN)
        CONVOLVE_4(acc, inputs, count, y, rows, t, w, type);
    else if (width == 6)
        CONVOLVE_UNIT_6(acc, inputs, count, y, rows, t, w, type);
    else
        CONVOLVE_UNIT_4(acc, inputs, count, y, rows, t, w, type);
}

INLINE void store_leaky(float *y, vf value, float slope) {
    vf negative = v_mul(value, v_set(slope)), zero = v_set(0.0f);
    v_store(y, v_add(v_max(value, zero), v_sub(negative, v_max(negative, zero))));
}

/* One register tile in all rows: `width` outputs from n on by `vectors` from lane t on. */
typedef void (*conv_tile)(float *y, const swin2sr__conv *conv, const float *w, int32_t n, int32_t t, int32_t width,
                          int32_t vectors);

/* Every register tile. words: of weights per output. */
INLINE void conv_any(float *y, const swin2sr__conv *conv, int32_t words, conv_tile tile) {
    const float *w = conv->linear->weights;
    int32_t lanes = conv->units * SWIN2SR__UNIT;
    for (int32_t n = 0, width; n < conv->linear->outputs; n += width, w += (ptrdiff_t)words * width) {
        int32_t t = 0;
        width = swin2sr__group_width(conv->linear->outputs - n);
        for (; t + STRIDE <= lanes; t += STRIDE) {
            if (width == 6)
                tile(y, conv, w, n, t, 6, MAIN);
            else
                tile(y, conv, w, n, t, 4, MAIN);
        }
        for (; t < lanes; t += SWIN2SR__UNIT) {
            if (width == 6)
                tile(y, conv, w, n, t, 6, UNIT_VECTORS);
            else
                tile(y, conv, w, n, t, 4, UNIT_VECTORS);
        }
    }
}

INLINE int32_t all_channels(const swin2sr__conv *conv) {
    int32_t channels = 0;
    for (int32_t i = 0; i < conv->inputs_count; i++)
        channels += conv->inputs[i].channels;
    return channels;
}

INLINE void plain_tile(float *y, const swin2sr__conv *conv, const float *w, int32_t n, int32_t t, int32_t width,
                       int32_t vectors, const word_type type) {
    const float *bias = conv->linear->bias + n;
    for (int32_t row = 0; row < conv->rows; row++) {
        float *to = y + ((ptrdiff_t)row * conv->linear->outputs + n) * T + t;
        vf acc[6][4];
        for (int32_t i = 0; i < width; i++) {
            for (int32_t j = 0; j < vectors; j++)
                acc[i][j] = v_bcast(bias + i);
        }
        convolve(acc, width, vectors, conv->inputs, conv->inputs_count, row, 3, t, w, type);
        for (int32_t i = 0; i < width; i++) {
            for (int32_t j = 0; j < vectors; j++)
                store_leaky(to + i * T + j * VL, acc[i][j], conv->slope);
        }
    }
}

INLINE void float_tile(float *y, const swin2sr__conv *conv, const float *w, int32_t n, int32_t t, int32_t width,
                       int32_t vectors) {
    plain_tile(y, conv, w, n, t, width, vectors, FLOATS);
}

static void conv3x3_simd(float *y, const swin2sr__conv *conv) {
    conv_any(y, conv, 9 * all_channels(conv), float_tile);
}

#ifdef TILES
#elif PAIR > 1
INLINE void panel_tile(float *y, const swin2sr__conv *conv, const float *w, int32_t n, int32_t t, int32_t width,
                       int32_t vectors) {
    plain_tile(y, conv, w, n, t, width, vectors, PANEL);
}

static void conv3x3_panel_simd(float *y, const swin2sr__conv *conv) {
    conv_any(y, conv, 9 * all_channels(conv), panel_tile);
}
#else

/* Six rows d as the values of six polynomials at the points of pack.h, to be multiplied with those of the weights.
 * Scratch is [6][channels][SWIN2SR__CONV_COLUMNS], with column 0 at UNIT. */
#define A SWIN2SR__WINOGRAD_A
#define B SWIN2SR__WINOGRAD_B

INLINE void transform_rows(float *values, const swin2sr__conv_input *in, int32_t channels, int32_t lanes) {
    ptrdiff_t point = (ptrdiff_t)channels * SWIN2SR__CONV_COLUMNS;
    for (ptrdiff_t c = 0; c < in->channels; c++, values += SWIN2SR__CONV_COLUMNS) {
        for (ptrdiff_t t = -VL; t < lanes + VL; t += VL) {
            float *to = values + SWIN2SR__UNIT + t;
            vf d0 = v_load(in->rows[0] + c * (ptrdiff_t)in->strides[0] + t);
            vf d1 = v_load(in->rows[1] + c * (ptrdiff_t)in->strides[1] + t);
            vf d2 = v_load(in->rows[2] + c * (ptrdiff_t)in->strides[2] + t);
            vf d3 = v_load(in->rows[3] + c * (ptrdiff_t)in->strides[3] + t);
            vf d4 = v_load(in->rows[4] + c * (ptrdiff_t)in->strides[4] + t);
            vf d5 = v_load(in->rows[5] + c * (ptrdiff_t)in->strides[5] + t);
            vf even_a = v_fnma(v_set(B * B), d2, d4), odd_a = v_mul(v_set(A), v_fnma(v_set(B * B), d1, d3));
            vf even_b = v_fnma(v_set(A * A), d2, d4), odd_b = v_mul(v_set(B), v_fnma(v_set(A * A), d1, d3));
            v_store(to, v_fma(v_set(A * A * B * B), d0, v_fnma(v_set(A * A + B * B), d2, d4)));
            v_store(to + point, v_add(even_a, odd_a));
            v_store(to + 2 * point, v_sub(even_a, odd_a));
            v_store(to + 3 * point, v_add(even_b, odd_b));
            v_store(to + 4 * point, v_sub(even_b, odd_b));
            v_store(to + 5 * point, v_fma(v_set(A * A * B * B), d1, v_fnma(v_set(A * A + B * B), d3, d5)));
        }
    }
}

INLINE void winograd_sums(float *sums, const swin2sr__conv_input *values, const float *w, int32_t t, int32_t width,
                          int32_t vectors) {
    vf acc[6][4];
    for (int32_t i = 0; i < width; i++) {
        for (int32_t j = 0; j < vectors; j++)
            acc[i][j] = v_set(0.0f);
    }
    convolve(acc, width, vectors, values, 1, 0, 1, t, w, FLOATS);
    for (int32_t i = 0; i < width; i++) {
        for (int32_t j = 0; j < vectors; j++)
            v_store(sums + i * STRIDE + j * VL, acc[i][j]);
    }
}

/* The sums of products at one point, [width][STRIDE] floats. Inlined, gcc would keep the accumulators in memory. */
static __attribute__((noinline)) void winograd_point(float *sums, const swin2sr__conv_input *values, const float *w,
                                                     int32_t t, int32_t width, int32_t vectors) {
    if (width == 6 && vectors == MAIN)
        winograd_sums(sums, values, w, t, 6, MAIN);
    else if (vectors == MAIN)
        winograd_sums(sums, values, w, t, 4, MAIN);
    else if (width == 6)
        winograd_sums(sums, values, w, t, 6, UNIT_VECTORS);
    else
        winograd_sums(sums, values, w, t, 4, UNIT_VECTORS);
}

/* Four rows of VL outputs from their sums at the points, which are `point` floats apart. */
INLINE void winograd_rows(float *y, ptrdiff_t row, const float *sums, ptrdiff_t point, vf bias, float slope) {
    vf s0 = v_load(sums), s1 = v_load(sums + point), s2 = v_load(sums + 2 * point), s3 = v_load(sums + 3 * point),
       s4 = v_load(sums + 4 * point), s5 = v_load(sums + 5 * point);
    vf even_a = v_add(s1, s2), odd_a = v_sub(s1, s2), even_b = v_add(s3, s4), odd_b = v_sub(s3, s4);
    store_leaky(y, v_add(v_add(bias, s0), v_add(even_a, even_b)), slope);
    store_leaky(y + row, v_fma(v_set(A), odd_a, v_fma(v_set(B), odd_b, bias)), slope);
    store_leaky(y + 2 * row, v_fma(v_set(A * A), even_a, v_fma(v_set(B * B), even_b, bias)), slope);
    store_leaky(y + 3 * row, v_fma(v_set(A * A * A), odd_a, v_fma(v_set(B * B * B), odd_b, v_add(bias, s5))), slope);
}

INLINE void winograd_tile(float *y, const swin2sr__conv *conv, const float *w, int32_t n, int32_t t, int32_t width,
                          int32_t vectors) {
    int32_t channels = all_channels(conv);
    float sums[SWIN2SR__WINOGRAD_POINTS * 6 * STRIDE];
    for (int32_t point = 0; point < SWIN2SR__WINOGRAD_POINTS; point++) {
        const float *values = conv->scratch + (ptrdiff_t)point * channels * SWIN2SR__CONV_COLUMNS + SWIN2SR__UNIT;
        winograd_point(sums + point * 6 * STRIDE, &(swin2sr__conv_input){{values}, {SWIN2SR__CONV_COLUMNS}, channels},
                       w + (ptrdiff_t)point * 3 * channels * width, t, width, vectors);
    }
    for (int32_t i = 0; i < width; i++) {
        for (int32_t j = 0; j < vectors; j++)
            winograd_rows(y + (n + i) * T + t + j * VL, (ptrdiff_t)conv->linear->outputs * T,
                          sums + i * STRIDE + j * VL, 6 * STRIDE, v_bcast(conv->linear->bias + n + i), conv->slope);
    }
}

static void conv3x3_panel_simd(float *y, const swin2sr__conv *conv) {
    int32_t channels = all_channels(conv);
    float *values = conv->scratch;
    for (int32_t i = 0; i < conv->inputs_count;
         values += (ptrdiff_t)conv->inputs[i].channels * SWIN2SR__CONV_COLUMNS, i++)
        transform_rows(values, &conv->inputs[i], channels, conv->units * SWIN2SR__UNIT);
    conv_any(y, conv, 3 * SWIN2SR__WINOGRAD_POINTS * channels, winograd_tile);
}
#undef A
#undef B
#endif
