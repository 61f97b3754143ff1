/* SPDX-License-Identifier: Apache-2.0
 * train/attention.c - cosine attention within windows of 64 tokens, forward and backward, for training on a processor.
 * In: qkv [windows][64][3][heads][dim]; bias [heads][64 queries][64 keys]; scale [heads]; mask [masks][64][64] or NULL,
 * where window w uses mask w % masks.  Out: output [windows][64][heads * dim], or the gradients of qkv, bias and scale.
 * All arrays are contiguous float. The functions return 0, or -1 for arguments that they do not support.
 *
 * fused.py compiles this file with -march=native; the vector width follows from that. Keys or the elements of a head lie
 * in vector lanes, a scalar of the query is broadcast, and only the sums of the softmax go across lanes. The backward
 * pass computes the attention weights again instead of storing them. One thread; no allocation, no global state. */
#include <math.h>
#include <string.h>

#if defined(__AVX512F__)
#define LANES 16
#elif defined(__AVX__)
#define LANES 8
#else
#define LANES 4
#endif
#define TOKENS 64
#define MAX_DIM 32
#define MAX_HEADS 64
#define AT_ONCE (LANES == 16 ? 8 : 4) /* queries whose sums are kept in registers together */
#define BLOCKS (TOKENS / LANES)
#define SMALLEST_NORM 1e-12f /* of torch.nn.functional.normalize */
#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 32")

typedef float lanes __attribute__((vector_size(LANES * 4), may_alias));
typedef int int_lanes __attribute__((vector_size(LANES * 4), may_alias));
typedef float four __attribute__((vector_size(16)));
typedef int four_ints __attribute__((vector_size(16)));
typedef float row[MAX_DIM] __attribute__((aligned(64)));   /* one token; zeros behind its last element */
typedef float across[TOKENS] __attribute__((aligned(64))); /* one element of all tokens, or one query's keys */

/* One head of one window. */
typedef struct head {
    row q[TOKENS], k[TOKENS], v[TOKENS]; /* q and k with length 1, q not yet times the scale */
    row scaled_q[TOKENS];
    across k_columns[MAX_DIM], v_columns[MAX_DIM];
    float q_length[TOKENS], k_length[TOKENS];
    across weights[TOKENS]; /* [query][key], rows sum to 1 */
} head;

INLINE lanes load(const float *from) {
    lanes value;
    memcpy(&value, from, sizeof value);
    return value;
}

INLINE void store(float *to, lanes value) {
    memcpy(to, &value, sizeof value);
}

INLINE lanes larger(lanes a, lanes b) {
    int_lanes is_a = a > b;
    return (lanes)(((int_lanes)a & is_a) | ((int_lanes)b & ~is_a));
}

/* The sum and the maximum of all lanes. */
INLINE float sum_of(lanes value) {
    four parts[LANES / 4];
    memcpy(parts, &value, sizeof parts);
    UNROLL for (int i = 1; i < LANES / 4; i++) parts[0] += parts[i];
    return (parts[0][0] + parts[0][1]) + (parts[0][2] + parts[0][3]);
}

INLINE float larger_of(float a, float b) {
    return a > b ? a : b;
}

INLINE float largest_of(lanes value) {
    four parts[LANES / 4];
    memcpy(parts, &value, sizeof parts);
    UNROLL for (int i = 1; i < LANES / 4; i++) {
        four_ints is_larger = parts[i] > parts[0];
        parts[0] = (four)(((four_ints)parts[i] & is_larger) | ((four_ints)parts[0] & ~is_larger));
    }
    return larger_of(larger_of(parts[0][0], parts[0][1]), larger_of(parts[0][2], parts[0][3]));
}

/* e^x for x <= 0, relative error below 3e-7: 2^n times the Taylor series of 2^f, f within half a step of 0. */
INLINE lanes exponential(lanes x) {
    const float to_integer = 12582912.f; /* 1.5 * 2^23: adding it rounds to an integer in the low bits */
    lanes power = larger(x, (lanes){} - 87.f) * 1.44269504f;
    lanes rounded = power + to_integer;
    lanes f = power - (rounded - to_integer);
    lanes y = f * 1.5403530e-4f + 1.3333558e-3f;
    y = y * f + 9.6181291e-3f;
    y = y * f + 5.5504109e-2f;
    y = y * f + 2.4022651e-1f;
    y = y * f + 6.9314718e-1f;
    y = y * f + 1.f;
    return (lanes)((int_lanes)y + ((int_lanes)rounded << 23)); /* the bits of to_integer leave at the top */
}

/* The dot product of two rows whose elements behind dim are zeros. */
INLINE float dot(int dim, const float *a, const float *b) {
    lanes sum = {};
    UNROLL for (int d = 0; d < dim; d += LANES) sum += load(a + d) * load(b + d);
    return sum_of(sum);
}

/* Give a row length 1 and return the length that it had. */
INLINE float normalise(int dim, float *vector) {
    float length = sqrtf(dot(dim, vector, vector));
    length = length > SMALLEST_NORM ? length : SMALLEST_NORM;
    UNROLL for (int d = 0; d < dim; d += LANES) store(vector + d, load(vector + d) * (1.f / length));
    return length;
}

/* All tokens are copied before the first one is read: a vector load right after narrower stores would wait for them. */
INLINE void read_head(int dim, int heads, int a, const float *qkv, float scale, head *h) {
    for (int t = 0; t < TOKENS; t++) {
        const float *token = qkv + (size_t)t * 3 * heads * dim + a * dim;
        memcpy(h->q[t], token, dim * sizeof(float));
        memcpy(h->k[t], token + heads * dim, dim * sizeof(float));
        memcpy(h->v[t], token + 2 * heads * dim, dim * sizeof(float));
    }
    for (int t = 0; t < TOKENS; t++) {
        h->q_length[t] = normalise(dim, h->q[t]);
        h->k_length[t] = normalise(dim, h->k[t]);
        UNROLL for (int d = 0; d < dim; d += LANES) store(&h->scaled_q[t][d], load(&h->q[t][d]) * scale);
    }
    for (int d = 0; d < dim; d++)
        for (int t = 0; t < TOKENS; t++) {
            h->k_columns[d][t] = h->k[t][d];
            h->v_columns[d][t] = h->v[t][d];
        }
}

/* products[query][key] = rows[query] . columns[key], for two queries. */
INLINE void multiply_two(int dim, const row *rows, const across *columns, across *products) {
    for (int first = 0; first < BLOCKS; first += 4) {
        lanes sums[2][4] = {};
        UNROLL for (int d = 0; d < dim; d++) UNROLL for (int b = 0; b < 4; b++) {
            lanes column = load(&columns[d][(first + b) * LANES]);
            sums[0][b] += column * rows[0][d];
            sums[1][b] += column * rows[1][d];
        }
        UNROLL for (int b = 0; b < 4; b++) {
            store(&products[0][(first + b) * LANES], sums[0][b]);
            store(&products[1][(first + b) * LANES], sums[1][b]);
        }
    }
}

/* One query's logits become weights. */
INLINE void softmax(float *logits, const float *bias, const float *mask) {
    lanes most = (lanes){} - INFINITY, total = {};
    UNROLL for (int b = 0; b < TOKENS; b += LANES) {
        lanes value = load(logits + b) + load(bias + b);
        if (mask)
            value += load(mask + b);
        most = larger(most, value);
        store(logits + b, value);
    }
    float top = largest_of(most);
    UNROLL for (int b = 0; b < TOKENS; b += LANES) {
        lanes value = exponential(load(logits + b) - top);
        total += value;
        store(logits + b, value);
    }
    float share = 1.f / sum_of(total);
    UNROLL for (int b = 0; b < TOKENS; b += LANES) store(logits + b, load(logits + b) * share);
}

INLINE void weigh(int dim, const float *bias, const float *mask, head *h) {
    for (int q = 0; q < TOKENS; q += 2) {
        multiply_two(dim, &h->scaled_q[q], h->k_columns, &h->weights[q]);
        for (int i = q; i < q + 2; i++)
            softmax(h->weights[i], bias + i * TOKENS, mask ? mask + i * TOKENS : NULL);
    }
}

/* sums[query] = sum over keys of factors[query][key] * rows[key]. */
INLINE void sum_rows(int dim, const across *factors, const row *rows, row *sums) {
    for (int q = 0; q < TOKENS; q += AT_ONCE)
        UNROLL for (int d = 0; d < dim; d += LANES) {
            lanes found[AT_ONCE] = {};
            for (int k = 0; k < TOKENS; k++) {
                lanes part = load(&rows[k][d]);
                UNROLL for (int i = 0; i < AT_ONCE; i++) found[i] += part * factors[q + i][k];
            }
            UNROLL for (int i = 0; i < AT_ONCE; i++) store(&sums[q + i][d], found[i]);
        }
}

/* columns[d][key] = sum over queries of factors[query][key] * rows[query][d]. */
INLINE void sum_columns(int dim, const across *factors, const row *rows, across *columns) {
    for (int b = 0; b < TOKENS; b += LANES) {
        lanes found[MAX_DIM] = {};
        for (int q = 0; q < TOKENS; q++) {
            lanes factor = load(&factors[q][b]);
            UNROLL for (int d = 0; d < dim; d++) found[d] += factor * rows[q][d];
        }
        UNROLL for (int d = 0; d < dim; d++) store(&columns[d][b], found[d]);
    }
}

INLINE void forward(long windows, int heads, int dim, const float *qkv, const float *bias, const float *scale,
                    const float *mask, long masks, float *output) {
    head h;
    row sums[TOKENS];
    memset(&h, 0, sizeof h);
    for (long w = 0; w < windows; w++)
        for (int a = 0; a < heads; a++) {
            read_head(dim, heads, a, qkv + w * TOKENS * 3 * heads * dim, scale[a], &h);
            weigh(dim, bias + a * TOKENS * TOKENS, mask ? mask + w % masks * TOKENS * TOKENS : NULL, &h);
            sum_rows(dim, h.weights, h.v, sums);
            for (int t = 0; t < TOKENS; t++)
                memcpy(output + ((w * TOKENS + t) * heads + a) * dim, sums[t], dim * sizeof(float));
        }
}

/* The gradient of the logits from that of the weights, in place; also added to the bias's. */
INLINE void softmax_backward(const float *weights, float *gradient, float *bias_gradient) {
    lanes mean = {};
    UNROLL for (int b = 0; b < TOKENS; b += LANES) mean += load(weights + b) * load(gradient + b);
    float all = sum_of(mean);
    UNROLL for (int b = 0; b < TOKENS; b += LANES) {
        lanes value = load(weights + b) * (load(gradient + b) - all);
        store(gradient + b, value);
        store(bias_gradient + b, load(bias_gradient + b) + value);
    }
}

/* Through `normalise`: what is along the row is lost, the rest is divided by the length that it had. */
INLINE void normalise_backward(int dim, const float *unit, float length, const float *gradient, float *to) {
    float along = dot(dim, unit, gradient);
    for (int d = 0; d < dim; d++)
        to[d] = (gradient[d] - unit[d] * along) * (1.f / length);
}

typedef struct gradients {
    row output[TOKENS], q[TOKENS];
    across k_columns[MAX_DIM], v_columns[MAX_DIM];
    across logits[TOKENS];
} gradients;

/* One head's gradients of q, k and v into its window's rows; returns that of the scale. */
INLINE float write_gradients(int dim, int heads, int a, float scale, const head *h, const gradients *g, float *qkv) {
    lanes of_scale = {};
    row of_q = {}, of_k = {};
    for (int t = 0; t < TOKENS; t++) {
        float *token = qkv + (size_t)t * 3 * heads * dim + a * dim;
        UNROLL for (int d = 0; d < dim; d += LANES) {
            of_scale += load(&h->q[t][d]) * load(&g->q[t][d]);
            store(of_q + d, load(&g->q[t][d]) * scale);
        }
        for (int d = 0; d < dim; d++) {
            of_k[d] = g->k_columns[d][t];
            token[2 * heads * dim + d] = g->v_columns[d][t];
        }
        normalise_backward(dim, h->q[t], h->q_length[t], of_q, token);
        normalise_backward(dim, h->k[t], h->k_length[t], of_k, token + heads * dim);
    }
    return sum_of(of_scale);
}

INLINE void backward(long windows, int heads, int dim, const float *qkv, const float *bias, const float *scale,
                     const float *mask, long masks, const float *output_gradient, float *qkv_gradient,
                     float *bias_gradient, float *scale_gradient) {
    head h;
    gradients g;
    memset(&h, 0, sizeof h);
    memset(&g, 0, sizeof g);
    for (long w = 0; w < windows; w++)
        for (int a = 0; a < heads; a++) {
            size_t window = (size_t)w * TOKENS * 3 * heads * dim;
            read_head(dim, heads, a, qkv + window, scale[a], &h);
            weigh(dim, bias + a * TOKENS * TOKENS, mask ? mask + w % masks * TOKENS * TOKENS : NULL, &h);
            for (int t = 0; t < TOKENS; t++)
                memcpy(g.output[t], output_gradient + ((w * TOKENS + t) * heads + a) * dim, dim * sizeof(float));
            for (int q = 0; q < TOKENS; q += 2) {
                multiply_two(dim, &g.output[q], h.v_columns, &g.logits[q]);
                for (int i = q; i < q + 2; i++)
                    softmax_backward(h.weights[i], g.logits[i], bias_gradient + (a * TOKENS + i) * TOKENS);
            }
            sum_columns(dim, h.weights, g.output, g.v_columns);
            sum_columns(dim, g.logits, h.scaled_q, g.k_columns);
            sum_rows(dim, g.logits, h.k, g.q);
            scale_gradient[a] += write_gradients(dim, heads, a, scale[a], &h, &g, qkv_gradient + window);
        }
}

static int is_supported(long windows, int heads, int dim, const float *mask, long masks) {
    return windows >= 0 && heads >= 1 && heads <= MAX_HEADS && dim >= 1 && dim <= MAX_DIM && (!mask || masks >= 1);
}

/* The usual sizes of a head get code of their own. */
#define FOR_DIM(function, ...)                      \
    switch (dim) {                                  \
    case 8:                                         \
        function(windows, heads, 8, __VA_ARGS__);   \
        return 0;                                   \
    case 10:                                        \
        function(windows, heads, 10, __VA_ARGS__);  \
        return 0;                                   \
    case 16:                                        \
        function(windows, heads, 16, __VA_ARGS__);  \
        return 0;                                   \
    default:                                        \
        function(windows, heads, dim, __VA_ARGS__); \
        return 0;                                   \
    }

int attention_forward(long windows, int heads, int dim, const float *qkv, const float *bias, const float *scale,
                      const float *mask, long masks, float *output) {
    if (!is_supported(windows, heads, dim, mask, masks) || !qkv || !bias || !scale || !output)
        return -1;
    FOR_DIM(forward, qkv, bias, scale, mask, masks, output)
}

/* The gradients of bias and scale are added to what is there. */
int attention_backward(long windows, int heads, int dim, const float *qkv, const float *bias, const float *scale,
                       const float *mask, long masks, const float *output_gradient, float *qkv_gradient,
                       float *bias_gradient, float *scale_gradient) {
    if (!is_supported(windows, heads, dim, mask, masks) || !qkv || !bias || !scale || !output_gradient ||
        !qkv_gradient || !bias_gradient || !scale_gradient)
        return -1;
    FOR_DIM(backward, qkv, bias, scale, mask, masks, output_gradient, qkv_gradient, bias_gradient, scale_gradient)
}
