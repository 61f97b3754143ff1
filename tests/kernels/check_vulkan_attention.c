/* SPDX-License-Identifier: Apache-2.0
 * tests/kernels/check_vulkan_attention.c - attention of the Vulkan device against sums in double.
 * The bound of each value follows its own sums: the errors of q, k and v by k * eps * sum |x| |w|, what they make of the
 * logits, what the logits make of the weights, and the rounding of the average. Square roots, divisions and exponentials
 * may be as inexact as Vulkan allows. */
#include <math.h>
#include <stdlib.h>

#include "vulkan_bench.h"

#define MAX_TOKENS 64
#define ULP (2.0 * EPS)

typedef struct attention_case {
    bench_shape shape;
    int32_t C, DP, side;    /* DP: channels of a head as stored; side: of the table of the position bias */
    int32_t plain;          /* floats of a head before its products */
    int32_t W, H, before;   /* before: pixels that the first windows of a shifted block lack */
    int32_t rows, out_rows; /* of the rings */
    int32_t head, window_y, window_x;
} attention_case;

/* One token of one head. The errors of q and k are lengths of vectors. */
typedef struct token {
    bool is_there;
    double q[MAX_TOKENS], k[MAX_TOKENS], v[MAX_TOKENS]; /* q with its scale, k of length 1 */
    double v_error[MAX_TOKENS], q_error, k_error;
} token;

static const float *weights_of_head(const bench *self, const attention_case *t) {
    return self->regions[WEIGHTS] + t->head * t->plain;
}

/* One of q, k and v of a token, and the error of each of its values. */
static void project(const bench *self, const attention_case *t, int32_t part, int32_t y, int32_t x, double *values,
                    double *errors) {
    int32_t D = t->shape.head;
    const float *w = self->regions[WEIGHTS] + t->shape.heads * t->plain + (t->head * 3 + part) * t->C * t->DP;
    for (int32_t d = 0; d < D; d++) {
        double bias = part == 0 ? weights_of_head(self, t)[4 + d] : 0.0, size = fabs(bias);
        values[d] = bias;
        for (int32_t c = 0; c < t->C; c++) {
            double product = (double)w[c * t->DP + d] * self->regions[FIRST][index_of(t->rows, t->C, t->W, y, c, x)];
            values[d] += product, size += fabs(product);
        }
        errors[d] = (t->C + 2) * EPS * size;
    }
}

static double length_of(const double *vector, int32_t D) {
    double squares = 0.0;
    for (int32_t d = 0; d < D; d++)
        squares += vector[d] * vector[d];
    return sqrt(squares);
}

/* Give a vector this length.  returns  the error of the result: two vectors whose ends are e apart, and of lengths a and
 * at least a - e, are at most e / (a - e) apart when both have length 1. The sum of D squares, its root, and two divisions
 * add their own errors. */
static double normalize(double *vector, const double *errors, int32_t D, double length) {
    double found = length_of(vector, D), error = length_of(errors, D);
    for (int32_t d = 0; d < D; d++)
        vector[d] *= length / found;
    return length * (error / (found - error) + (D / 2.0 + 3.0) * EPS + 9.0 * ULP);
}

static void read_token(const bench *self, const attention_case *t, int32_t y, int32_t x, token *to) {
    double errors[MAX_TOKENS];
    int32_t D = t->shape.head;
    to->is_there = y >= 0 && y < t->H && x >= 0 && x < t->W;
    if (!to->is_there)
        return;
    project(self, t, 0, y, x, to->q, errors);
    to->q_error = normalize(to->q, errors, D, weights_of_head(self, t)[0]);
    project(self, t, 1, y, x, to->k, errors);
    to->k_error = normalize(to->k, errors, D, 1.0);
    project(self, t, 2, y, x, to->v, to->v_error);
}

/* The logits of a query and their errors; returns the largest logit. */
static double score(const bench *self, const attention_case *t, const token *tokens, int32_t i, double *logits,
                    double *errors) {
    int32_t size = t->shape.window;
    const float *table = weights_of_head(self, t) + 4 + t->DP;
    double most = -INFINITY;
    for (int32_t j = 0; j < size * size; j++) {
        double bias = table[(i / size - j / size + size - 1) * t->side + i % size - j % size + size - 1];
        double sum = fabs(bias);
        logits[j] = bias;
        for (int32_t d = 0; d < t->shape.head; d++) {
            logits[j] += tokens[i].q[d] * tokens[j].k[d];
            sum += fabs(tokens[i].q[d] * tokens[j].k[d]);
        }
        double scale = weights_of_head(self, t)[0];
        errors[j] =
            tokens[i].q_error * (1.0 + tokens[j].k_error) + scale * tokens[j].k_error + (t->shape.head + 3) * EPS * sum;
        if (tokens[j].is_there)
            most = fmax(most, logits[j]);
    }
    return most;
}

/* Compare what the query i of the window has become. An exponential may be off by 3 + 2 |x| ulp, a division by 2.5. */
static void compare_token(bench *self, const attention_case *t, const token *tokens, int32_t i, int32_t y, int32_t x) {
    double logits[MAX_TOKENS], errors[MAX_TOKENS], total = 0.0, worst = 0.0;
    int32_t count = t->shape.window * t->shape.window, D = t->shape.head;
    double most = score(self, t, tokens, i, logits, errors);
    for (int32_t j = 0; j < count; j++) {
        double below = most - logits[j];
        logits[j] = tokens[j].is_there ? exp(-below) : 0.0;
        errors[j] = expm1(errors[j] + EPS * below) + (3.0 + 2.0 * below) * ULP;
        total += logits[j];
        worst = fmax(worst, logits[j] > 0.0 ? errors[j] : 0.0);
    }
    for (int32_t d = 0; d < D; d++) {
        double sum = 0.0, size = 0.0, error = 0.0;
        for (int32_t j = 0; j < count; j++) {
            double weight = logits[j] / total, value = weight > 0.0 ? tokens[j].v[d] : 0.0;
            sum += weight * value, size += weight * fabs(value);
        }
        for (int32_t j = 0; j < count; j++) {
            double weight = logits[j] / total;
            if (weight > 0.0)
                error += weight * (errors[j] * fabs(tokens[j].v[d] - sum) + tokens[j].v_error[d]);
        }
        error += (count + 2) * EPS * (size + fabs(sum)) + 2.5 * ULP * fabs(sum);
        bench_take(self, RESULT, index_of(t->out_rows, t->C, t->W, y, t->head * D + d, x), sum,
                   1.01 * error / (1.0 - worst));
    }
}

static void compare_window(bench *self, const attention_case *t, token *tokens) {
    int32_t size = t->shape.window, y0 = t->window_y * size - t->before, x0 = t->window_x * size - t->before;
    for (int32_t i = 0; i < size * size; i++)
        read_token(self, t, y0 + i / size, x0 + i % size, &tokens[i]);
    for (int32_t i = 0; i < size * size; i++)
        if (tokens[i].is_there)
            compare_token(self, t, tokens, i, y0 + i / size, x0 + i % size);
}

static void fill_weights(bench *self, const attention_case *t, float scale) {
    float *w = self->regions[WEIGHTS];
    for (int32_t a = 0; a < t->shape.heads; a++, w += t->plain) {
        w[0] = scale / (float)(a + 1);
        for (int32_t d = 0; d < t->shape.head; d++)
            w[4 + d] = noise();
        for (int32_t i = 0; i < t->side * t->side; i++)
            w[4 + t->DP + i] = 8.0f + 8.0f * noise();
    }
    for (int32_t i = 0; i < 3 * t->shape.heads * t->C * t->DP; i++)
        w[i] = i % t->DP < t->shape.head ? noise() : 0.0f;
}

/* Two rows of windows at a time, as a step takes them, until the plane ends. */
static void check_rows(bench *self, attention_case *t, int32_t from, float scale, token *tokens) {
    int32_t size = t->shape.window, plain = t->shape.heads * t->plain, columns = (t->W + t->before + size - 1) / size;
    int32_t end = (t->H + t->before + size - 1) / size, to = from + 2 < end ? from + 2 : end;
    int32_t first = from * size - t->before, last = to * size - t->before;
    bench_prepare(self, SWIN2SR__VK_ATTENTION, plain + 3 * t->shape.heads * t->C * t->DP);
    fill_weights(self, t, scale);
    bench_fill(self, FIRST, t->rows, t->C, t->W, first > 0 ? first : 0, last < t->H ? last : t->H);
    swin2sr__vk_push push = {.from = from,
                             .to = to,
                             .width = t->W,
                             .height = t->H,
                             .rows = {t->rows, 0, 0, t->out_rows, 0},
                             .channels = {t->C, 0},
                             .outputs = t->C,
                             .out_width = t->W,
                             .out_height = t->H,
                             .out_channels = t->C,
                             .shuffle = 1,
                             .before = t->before,
                             .slope = 1.0f};
    bench_run(self, plain, &push, columns, to - from, t->shape.heads);
    for (t->head = 0; t->head < t->shape.heads; t->head++)
        for (t->window_y = from; t->window_y < to; t->window_y++)
            for (t->window_x = 0; t->window_x < columns; t->window_x++)
                compare_window(self, t, tokens);
    bench_finish(self, "attention of %d heads of %d, window %d, %dx%d, before %d, from %d", t->shape.heads,
                 t->shape.head, size, t->W, t->H, t->before, from);
}

/* Whole windows, and windows of which the plane lacks a part on each side; a scale that overflows an exponential. */
void check_attention(bench *self, const bench_shape *shape) {
    int32_t size = shape->window, side = 2 * size - 1;
    attention_case t = {.shape = *shape,
                        .C = shape->head * shape->heads,
                        .DP = rounded(shape->head, 4),
                        .side = side,
                        .rows = 2 * size + 1,
                        .out_rows = 2 * size + 3};
    t.plain = 4 + t.DP + rounded(side * side, 4);
    token *tokens = calloc(MAX_TOKENS, sizeof *tokens);
    for (int32_t i = 0; i < 2; i++) {
        t.W = i ? 2 * size + 3 : 2 * size;
        t.H = i ? 3 * size + 1 : 3 * size;
        t.before = i ? size - size / 2 : 0;
        for (int32_t from = 0; from * size < t.H + t.before; from += 2)
            check_rows(self, &t, from, i ? 100.0f : 12.5f, tokens);
    }
    free(tokens);
}
