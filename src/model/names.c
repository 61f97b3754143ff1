/* SPDX-License-Identifier: Apache-2.0
 * model/names.c - two tables: Hugging Face names to official ones, and every tensor with its shape.
 * In: a name, or a checked config.  Out: official names and shapes.
 * No allocation. Names have fewer than SWIN2SR__MAX_NAME_BYTES characters: the readers of files refuse longer ones. */
#include "model/names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The first row that matches the beginning of a name replaces it; # is a number, which is kept. Official names match no
 * row. */
static const struct {
    const char *hugging_face, *official;
} renames[] = {
    {"swin2sr.first_convolution.", "conv_first."},
    {"swin2sr.embeddings.patch_embeddings.projection.", "patch_embed.proj."},
    {"swin2sr.embeddings.patch_embeddings.layernorm.", "patch_embed.norm."},
#define HF_BLOCK "swin2sr.encoder.stages.#.layers.#."
#define BLOCK "layers.#.residual_group.blocks.#."
    {HF_BLOCK "attention.self.continuous_position_bias_mlp.", BLOCK "attn.cpb_mlp."},
    {HF_BLOCK "attention.self.query.weight", BLOCK "attn.q.weight"},
    {HF_BLOCK "attention.self.query.bias", BLOCK "attn.q_bias"},
    {HF_BLOCK "attention.self.key.weight", BLOCK "attn.k.weight"},
    {HF_BLOCK "attention.self.value.weight", BLOCK "attn.v.weight"},
    {HF_BLOCK "attention.self.value.bias", BLOCK "attn.v_bias"},
    {HF_BLOCK "attention.self.", BLOCK "attn."},
    {HF_BLOCK "attention.output.dense.", BLOCK "attn.proj."},
    {HF_BLOCK "layernorm_before.", BLOCK "norm1."},
    {HF_BLOCK "layernorm_after.", BLOCK "norm2."},
    {HF_BLOCK "intermediate.dense.", BLOCK "mlp.fc1."},
    {HF_BLOCK "output.dense.", BLOCK "mlp.fc2."},
    {HF_BLOCK, BLOCK},
#undef HF_BLOCK
#undef BLOCK
    {"swin2sr.encoder.stages.#.patch_embed.projection.", "layers.#.patch_embed.proj."},
    {"swin2sr.encoder.stages.#.", "layers.#."},
    {"swin2sr.layernorm.", "norm."},
    {"swin2sr.", ""},
    {"upsample.conv.", "upsample.0."},                 /* pixelshuffledirect */
    {"upsample.upsample.convolution.", "upsample.0."}, /* x3 */
    {"upsample.upsample.convolution_0.", "upsample.0."},
    {"upsample.upsample.convolution_1.", "upsample.2."},
    {"upsample.upsample.convolution_2.", "upsample.4."},
    {"upsample.conv_before_upsample.", "conv_before_upsample.0."},
    {"upsample.final_convolution.", "conv_last."},
    {"upsample.conv_", "conv_"},
    {"final_convolution.", "conv_last."}, /* no head */
};

/* The rest of the name after the pattern; NULL if the name does not begin with it. */
static const char *match(const char *name, const char *pattern, unsigned numbers[2]) {
    for (int found = 0; *pattern; pattern++) {
        if (*pattern != '#') {
            if (*name++ != *pattern)
                return NULL;
            continue;
        }
        size_t digits = strspn(name, "0123456789");
        if (digits < 1 || digits > 4)
            return NULL;
        numbers[found++] = (unsigned)strtoul(name, NULL, 10);
        name += digits;
    }
    return name;
}

/* Write the pattern with the numbers in place of #, then the rest. */
static void fill(const char *pattern, const unsigned numbers[2], const char *rest, char ret[SWIN2SR__MAX_NAME_BYTES]) {
    size_t at = 0, size = SWIN2SR__MAX_NAME_BYTES;
    for (int used = 0; *pattern && at < size; pattern++) {
        if (*pattern == '#')
            at += (size_t)snprintf(ret + at, size - at, "%u", numbers[used++]);
        else
            ret[at++] = *pattern;
    }
    if (at < size)
        snprintf(ret + at, size - at, "%s", rest);
    ret[size - 1] = '\0';
}

void swin2sr__names_official(const char *name, char ret_official[SWIN2SR__MAX_NAME_BYTES]) {
    unsigned numbers[2] = {0};
    for (size_t i = 0; i < sizeof(renames) / sizeof(renames[0]); i++) {
        const char *rest = match(name, renames[i].hugging_face, numbers);
        if (rest) {
            fill(renames[i].official, numbers, rest, ret_official);
            return;
        }
    }
    fill("", numbers, name, ret_official);
}

size_t swin2sr__names_prefix(const char *name) {
    static const char *const prefixes[] = {"params_ema.", "params.", "module."};
    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
        if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0)
            return strlen(prefixes[i]);
    return 0;
}

bool swin2sr__names_is_buffer(const char *official) {
    static const char *const buffers[] = {"relative_position_index", "relative_coords_table", "attn_mask"};
    const char *last = strrchr(official, '.');
    last = last ? last + 1 : official;
    for (size_t i = 0; i < sizeof(buffers) / sizeof(buffers[0]); i++)
        if (strcmp(last, buffers[i]) == 0)
            return true;
    return false;
}

/* Sides of a shape: a number above 0 is itself, 0 ends the shape. */
enum {
    COLOURS = -1,
    C = -2,
    C3 = -3,     /* q, k and v */
    NARROW = -4, /* C / 4, the middle of a triple convolution */
    HEADS = -5,
    HIDDEN = -6,
    FEATURES = -7,
    SHUFFLED = -8, /* FEATURES before a pixel shuffle by 2 (by 3 for x3) */
    DIRECT = -9,   /* COLOURS before a pixel shuffle by the scale */
    ALONE = -10,   /* ends the shape of a tensor that is not a layer */
    CPB = 512,     /* hidden width of the position bias network */
};

/* A layer has NAME.weight of these sides and NAME.bias of the first side. Other tensors are called NAME. */
typedef struct spec {
    const char *name; /* NULL ends a list */
    int16_t sides[SWIN2SR__MAX_WEIGHT_RANK];
} spec;

static const spec stem_specs[] = {{"conv_first", {C, COLOURS, 3, 3}},
                                  {"patch_embed.proj", {C, C, 1, 1}},
                                  {"patch_embed.norm", {C}},
                                  {"norm", {C}},
                                  {NULL, {0}}};

static const spec block_specs[] = {
    {"norm1", {C}},
    {"attn.logit_scale", {HEADS, 1, 1, ALONE}},
    {"attn.q_bias", {C, ALONE}},
    {"attn.v_bias", {C, ALONE}},
    {"attn.cpb_mlp.0", {CPB, 2}},
    {"attn.cpb_mlp.2.weight", {HEADS, CPB, ALONE}},
    {"attn.qkv.weight", {C3, C, ALONE}},
    {"attn.proj", {C, C}},
    {"norm2", {C}},
    {"mlp.fc1", {HIDDEN, C}},
    {"mlp.fc2", {C, HIDDEN}},
    {NULL, {0}},
};

static const spec group_specs[] = {{"patch_embed.proj", {C, C, 1, 1}}, {NULL, {0}}};

/* The convolution that closes a group or the body: one, or three. */
static const spec single_specs[] = {{"", {C, C, 3, 3}}, {NULL, {0}}};
static const spec triple_specs[] = {
    {".0", {NARROW, C, 3, 3}}, {".2", {NARROW, NARROW, 1, 1}}, {".4", {C, NARROW, 3, 3}}, {NULL, {0}}};

static const spec none_specs[] = {{"conv_last", {COLOURS, C, 3, 3}}, {NULL, {0}}};
static const spec direct_specs[] = {{"upsample.0", {DIRECT, C, 3, 3}}, {NULL, {0}}};
/* In every head with features; pixelshuffle has only these and its shuffle steps. */
static const spec features_specs[] = {
    {"conv_before_upsample.0", {FEATURES, C, 3, 3}}, {"conv_last", {COLOURS, FEATURES, 3, 3}}, {NULL, {0}}};
static const spec nearest_specs[] = {{"conv_up1", {FEATURES, FEATURES, 3, 3}},
                                     {"conv_up2", {FEATURES, FEATURES, 3, 3}},
                                     {"conv_hr", {FEATURES, FEATURES, 3, 3}},
                                     {NULL, {0}}};
static const spec aux_specs[] = {{"conv_bicubic", {FEATURES, COLOURS, 3, 3}},
                                 {"conv_aux", {COLOURS, FEATURES, 3, 3}},
                                 {"conv_after_aux.0", {FEATURES, COLOURS, 3, 3}},
                                 {NULL, {0}}};
static const spec shuffle_specs[] = {{"", {SHUFFLED, FEATURES, 3, 3}}, {NULL, {0}}};

static int64_t side_length(const swin2sr__config *config, int16_t side) {
    const int64_t places = config->scale == 3 ? 9 : 4, features = config->features, channels = config->channels;
    const int64_t lengths[] = {[-COLOURS] = channels,
                               [-C] = config->dim,
                               [-C3] = 3 * (int64_t)config->dim,
                               [-NARROW] = config->dim / 4,
                               [-HEADS] = config->heads,
                               [-HIDDEN] = config->hidden,
                               [-FEATURES] = features,
                               [-SHUFFLED] = features * places,
                               [-DIRECT] = channels * config->scale * config->scale};
    return side < 0 ? lengths[-side] : side;
}

typedef struct visitor {
    const swin2sr__config *config;
    swin2sr__names_visit *visit;
    void *context;
    swin2sr_status status; /* nothing is visited after the first failure */
} visitor;

static void visit_specs(visitor *to, const spec *specs, const char *prefix) {
    char name[SWIN2SR__MAX_NAME_BYTES];
    for (; specs->name && to->status == SWIN2SR_OK; specs++) {
        int64_t shape[SWIN2SR__MAX_WEIGHT_RANK];
        int rank = 0;
        for (; rank < SWIN2SR__MAX_WEIGHT_RANK && specs->sides[rank] && specs->sides[rank] != ALONE; rank++)
            shape[rank] = side_length(to->config, specs->sides[rank]);
        bool is_alone = rank < SWIN2SR__MAX_WEIGHT_RANK && specs->sides[rank] == ALONE;
        snprintf(name, sizeof(name), "%s%s%s", prefix, specs->name, is_alone ? "" : ".weight");
        to->status = to->visit(to->context, name, shape, rank);
        if (is_alone || to->status != SWIN2SR_OK)
            continue;
        snprintf(name, sizeof(name), "%s%s.bias", prefix, specs->name);
        to->status = to->visit(to->context, name, shape, 1);
    }
}

static void visit_groups(visitor *to) {
    const swin2sr__config *config = to->config;
    char prefix[64];
    for (int g = 0; g < config->groups; g++) {
        for (int b = 0; b < config->depths[g]; b++) {
            snprintf(prefix, sizeof(prefix), "layers.%d.residual_group.blocks.%d.", g, b);
            visit_specs(to, block_specs, prefix);
        }
        snprintf(prefix, sizeof(prefix), "layers.%d.", g);
        visit_specs(to, group_specs, prefix);
        snprintf(prefix, sizeof(prefix), "layers.%d.conv", g);
        visit_specs(to, config->is_triple ? triple_specs : single_specs, prefix);
    }
    visit_specs(to, config->is_triple ? triple_specs : single_specs, "conv_after_body");
}

/* One step for x3, else one per doubling. Their names have even numbers. */
static void visit_shuffle(visitor *to) {
    char prefix[32];
    for (int step = 0; to->config->scale == 3 ? step < 1 : 1 << step < to->config->scale; step++) {
        snprintf(prefix, sizeof(prefix), "upsample.%d", 2 * step);
        visit_specs(to, shuffle_specs, prefix);
    }
}

static void visit_head(visitor *to) {
    swin2sr__head head = to->config->head;
    if (head == SWIN2SR__HEAD_NONE)
        visit_specs(to, none_specs, "");
    else if (head == SWIN2SR__HEAD_PIXELSHUFFLEDIRECT)
        visit_specs(to, direct_specs, "");
    else
        visit_specs(to, features_specs, "");
    if (head == SWIN2SR__HEAD_NEAREST_CONV)
        visit_specs(to, nearest_specs, "");
    if (head == SWIN2SR__HEAD_PIXELSHUFFLE_AUX)
        visit_specs(to, aux_specs, "");
    if (head == SWIN2SR__HEAD_PIXELSHUFFLE || head == SWIN2SR__HEAD_PIXELSHUFFLE_AUX)
        visit_shuffle(to);
}

swin2sr_status swin2sr__names_each(const swin2sr__config *config, swin2sr__names_visit *visit, void *context) {
    visitor to = {.config = config, .visit = visit, .context = context, .status = SWIN2SR_OK};
    visit_specs(&to, stem_specs, "");
    visit_groups(&to);
    visit_head(&to);
    return to.status;
}
