/* SPDX-License-Identifier: Apache-2.0
 * test_weights.c - weight files as networks: real fixtures, made networks of every head, one wrong thing at a time.
 * Tests of the shared folder's files are skipped, and say so, where it is not there (SWIN2SR_SHARED). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>

#include "model/names.h"
#include "model/tensors.h"
#include "model/weights.h"
#include "network_file.h"

#define BLOCK0 "layers.0.residual_group.blocks.0."

static swin2sr__weights *open_sound(file_bytes file, const char *config_json) {
    swin2sr__weights *weights = NULL;
    swin2sr_error error = {""};
    if (swin2sr__weights_open(file.data, file.size, config_json, NULL, &weights, &error) != SWIN2SR_OK)
        fail_msg("%s", error.text);
    return weights;
}

static void assert_config_equal(const swin2sr__config *a, const swin2sr__config *b) {
    assert_int_equal(swin2sr__config_match(a, b, NULL), SWIN2SR_OK);
    assert_int_equal(a->window_px, b->window_px);
    assert_true(a->img_range == b->img_range);
}

/* The same file without the metadata key that holds the config. */
static void hide_config(file_bytes file) {
    static const char key[] = "\"config\"";
    for (size_t at = 8; at + strlen(key) < file.size && at < 1024; at++) {
        if (memcmp(file.data + at, key, strlen(key)) == 0) {
            memcpy(file.data + at, "\"hidden\"", strlen(key));
            return;
        }
    }
    fail_msg("no config to hide");
}

typedef struct reading {
    const swin2sr__weights *weights;
    uint64_t numbers;
} reading;

static swin2sr_status read_one(void *context, const char *name, const int64_t *shape, int rank) {
    reading *of = context;
    size_t count = 1;
    swin2sr_error error = {""};
    for (int i = 0; i < rank; i++)
        count *= (size_t)shape[i];
    float *numbers = malloc(count * sizeof(float));
    assert_non_null(numbers);
    if (swin2sr__weights_read(of->weights, name, shape, rank, numbers, &error) != SWIN2SR_OK)
        fail_msg("%s", error.text);
    of->numbers += count;
    free(numbers);
    return SWIN2SR_OK;
}

static void assert_all_readable(const swin2sr__weights *weights) {
    reading of = {.weights = weights};
    assert_int_equal(swin2sr__names_each(swin2sr__weights_config(weights), read_one, &of), SWIN2SR_OK);
    assert_int_equal(of.numbers, swin2sr__weights_parameters(weights));
}

static void fixture_lightweight(void **state) {
    static const int64_t shape[] = {48, 60, 3, 3};
    file_bytes file = source_file("tests/fixtures/goldens/lightweight_x4.safetensors");
    swin2sr__weights *weights = open_sound(file, NULL);
    const swin2sr__config *config = swin2sr__weights_config(weights);
    float numbers[48 * 60 * 9];
    assert_int_equal(config->head, SWIN2SR__HEAD_PIXELSHUFFLEDIRECT);
    assert_int_equal(config->scale, 4);
    assert_int_equal(config->dim, 60);
    assert_int_equal(config->groups, 2);
    assert_int_equal(config->depths[1], 2);
    assert_int_equal(swin2sr__weights_parameters(weights), (file.size - 8 - 9392) / 4);
    assert_null(swin2sr__weights_metadata(weights, "license"));
    assert_int_equal(swin2sr__weights_read(weights, "upsample.0.weight", shape, 4, numbers, NULL), SWIN2SR_OK);
    assert_all_readable(weights);
    swin2sr__weights_close(weights);
    free(file.data);
}

static void fixture_jpeg(void **state) {
    file_bytes file = source_file("tests/fixtures/goldens/jpeg_gray.safetensors");
    swin2sr__weights *weights = open_sound(file, NULL);
    const swin2sr__config *config = swin2sr__weights_config(weights);
    assert_int_equal(config->head, SWIN2SR__HEAD_NONE);
    assert_int_equal(config->scale, 1);
    assert_int_equal(config->channels, 1);
    assert_int_equal(config->window_px, 7);
    assert_true(config->img_range == 255.0f);
    assert_all_readable(weights);
    swin2sr__weights_close(weights);
    free(file.data);
}

static void default_network(void **state) {
    file_bytes file = source_file("models/photo/model.safetensors");
    swin2sr__weights *weights = open_sound(file, "{\"dim\":999}"); /* the metadata counts, not the text beside */
    const swin2sr__config *config = swin2sr__weights_config(weights);
    assert_int_equal(config->groups, 4);
    assert_int_equal(config->depths[3], 6);
    assert_string_equal(swin2sr__weights_metadata(weights, "name"), "photo");
    assert_string_equal(swin2sr__weights_metadata(weights, "license"), "Apache-2.0");
    assert_all_readable(weights);
    swin2sr__weights_close(weights);
    free(file.data);
}

/* Every published head and scale, in three types and with wrappers' prefixes, is found out from its tensors. */
static void made_networks_are_inferred(void **state) {
    static const struct {
        swin2sr__head head;
        int32_t scale;
    } heads[] = {
        {SWIN2SR__HEAD_NONE, 1},
        {SWIN2SR__HEAD_PIXELSHUFFLEDIRECT, 2},
        {SWIN2SR__HEAD_PIXELSHUFFLEDIRECT, 3},
        {SWIN2SR__HEAD_PIXELSHUFFLE, 2},
        {SWIN2SR__HEAD_PIXELSHUFFLE, 3},
        {SWIN2SR__HEAD_PIXELSHUFFLE, 4},
        {SWIN2SR__HEAD_PIXELSHUFFLE, 8},
        {SWIN2SR__HEAD_NEAREST_CONV, 4},
        {SWIN2SR__HEAD_PIXELSHUFFLE_AUX, 4},
        {SWIN2SR__HEAD_PIXELSHUFFLE_AUX, 2},
    };
    static const char *const dtypes[] = {"F32", "F16", "BF16"};
    static const char *const prefixes[] = {"", "params.", "params_ema.", "module.", "params_ema.module."};
    for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
        swin2sr__config config = network_config(heads[i].head, heads[i].scale);
        config.is_triple = i % 2;
        network_change change = {.dtype = dtypes[i % 3], .prefix = prefixes[i % 5]};
        file_bytes file = network_file(&config, &change);
        swin2sr__weights *weights = open_sound(file, NULL);
        assert_config_equal(swin2sr__weights_config(weights), &config);
        assert_all_readable(weights);
        swin2sr__weights_close(weights);
        free(file.data);
    }
}

static void types_read_the_same(void **state) {
    static const char *const dtypes[] = {"F32", "F16", "BF16"};
    static const int64_t shape[] = {12, 4};
    swin2sr__config config = network_config(SWIN2SR__HEAD_NONE, 1);
    for (int type = 0; type < 3; type++) {
        network_change change = {.dtype = dtypes[type]};
        float numbers[48];
        file_bytes file = network_file(&config, &change);
        swin2sr__weights *weights = open_sound(file, NULL);
        assert_int_equal(swin2sr__weights_read(weights, BLOCK0 "attn.qkv.weight", shape, 2, numbers, NULL), SWIN2SR_OK);
        for (int i = 0; i < 48; i++)
            assert_true(numbers[i] == (float)i / 64.0f);
        swin2sr__weights_close(weights);
        free(file.data);
    }
}

/* The window shows in either table; then the tables are not parameters, and window 7 without a head means 0..255. */
static void window_from_tables(void **state) {
    static const struct {
        const char *table;
        size_t bytes;
        int32_t window_px;
    } tables[] = {
        {"\"" BLOCK0 "attn.relative_position_index\":{\"dtype\":\"U8\",\"shape\":[49,49]", 49 * 49, 7},
        {"\"" BLOCK0 "attn.relative_position_index\":{\"dtype\":\"I64\",\"shape\":[16,16]", 16 * 16 * 8, 4},
        {"\"" BLOCK0 "attn.relative_coords_table\":{\"dtype\":\"F32\",\"shape\":[1,13,13,2]", 13 * 13 * 8, 7},
    };
    swin2sr__config config = network_config(SWIN2SR__HEAD_NONE, 1);
    file_bytes plain = network_file(&config, NULL);
    swin2sr__weights *without = open_sound(plain, NULL);
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        network_change change = {.extra = tables[i].table, .extra_bytes = tables[i].bytes};
        file_bytes file = network_file(&config, &change);
        swin2sr__weights *weights = open_sound(file, NULL);
        assert_int_equal(swin2sr__weights_config(weights)->window_px, tables[i].window_px);
        assert_true(swin2sr__weights_config(weights)->img_range == (tables[i].window_px == 7 ? 255.0f : 1.0f));
        assert_int_equal(swin2sr__weights_parameters(weights), swin2sr__weights_parameters(without));
        swin2sr__weights_close(weights);
        free(file.data);
    }
    swin2sr__weights_close(without);
    free(plain.data);
}

static void options_override(void **state) {
    static const struct {
        swin2sr_model_options options;
        swin2sr_status status;
    } cases[] = {
        {{0}, SWIN2SR_OK},
        {{.window_px = 7}, SWIN2SR_OK},
        {{.img_range = 255.0f}, SWIN2SR_OK},
        {{.window_px = 17}, SWIN2SR_INVALID},
        {{.window_px = -8}, SWIN2SR_INVALID},
        {{.img_range = 2.0f}, SWIN2SR_INVALID},
        {{.img_range = -1.0f}, SWIN2SR_INVALID},
        {{.img_range = __builtin_nanf("")}, SWIN2SR_INVALID},
    };
    swin2sr__config config = network_config(SWIN2SR__HEAD_PIXELSHUFFLE, 2);
    file_bytes file = network_file(&config, NULL);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const swin2sr_model_options *options = &cases[i].options;
        swin2sr__weights *weights = NULL;
        swin2sr_error error = {""};
        assert_int_equal(swin2sr__weights_open(file.data, file.size, NULL, options, &weights, &error), cases[i].status);
        assert_int_equal(weights == NULL, cases[i].status != SWIN2SR_OK);
        assert_int_equal(error.text[0] != '\0', cases[i].status != SWIN2SR_OK);
        if (weights && options->window_px)
            assert_int_equal(swin2sr__weights_config(weights)->window_px, options->window_px);
        if (weights && options->img_range != 0.0f)
            assert_true(swin2sr__weights_config(weights)->img_range == options->img_range);
        swin2sr__weights_close(weights);
    }
    free(file.data);
}

/* The networks below are pixelshuffle x2, dim 4, 2 heads, groups of 2 and 1 blocks. */
static const struct {
    network_change change;
    const char *says;
} broken[] = {
    {{.drop = "conv_first.weight"}, "conv_first.weight is missing"},
    {{.drop = "conv_first.bias"}, "conv_first.bias is missing"},
    {{.drop = "norm.weight"}, "norm.weight is missing"},
    {{.drop = "conv_last.weight"}, "conv_last.weight is missing"},
    {{.drop = "upsample.0.bias"}, "upsample.0.bias is missing"},
    {{.drop = BLOCK0 "attn.qkv.weight"}, "attn.qkv.weight is missing"},
    {{.drop = BLOCK0 "attn.logit_scale"}, "heads 0"},
    {{.drop = BLOCK0 "mlp.fc1.weight"}, "MLP width 0"},
    {{.drop = BLOCK0 "norm1.weight"}, "groups 0"},
    {{.drop = "layers.0.residual_group.blocks.1.norm1.weight"}, "not part of"},
    {{.drop = "layers.1.residual_group.blocks.0.norm1.weight"}, "not part of"},
    {{.drop = "conv_before_upsample.0.weight"}, "scale 0"},
    {{.reshape = "conv_first.weight"}, "dim 5"},
    {{.reshape = "conv_first.bias"}, "conv_first.bias: expected 4, found 5"},
    {{.reshape = "conv_last.weight"}, "conv_last.weight: expected 3x6x3x3, found 4x6x3x3"},
    {{.reshape = BLOCK0 "attn.qkv.weight"}, "expected 12x4, found 13x4"},
    {{.reshape = "layers.1.residual_group.blocks.0.attn.logit_scale"}, "expected 2x1x1, found 3x1x1"},
    {{.reshape = BLOCK0 "attn.logit_scale"}, "3 heads"},
    {{.reshape = BLOCK0 "mlp.fc1.weight"}, "expected 9, found 8"},
    {{.reshape = "conv_before_upsample.0.weight"}, "expected 7, found 6"},
    {{.reshape = "upsample.0.weight"}, "expected 24x6x3x3, found 25x6x3x3"},
    {{.retype = "conv_first.bias"}, "conv_first.bias is not F32, F16 or BF16"},
    {{.rename = "conv_last.weight", .renamed = "conv_final.weight"}, "conv_last.weight is missing"},
    {{.rename = BLOCK0 "attn.qkv.weight", .renamed = BLOCK0 "attn.q.weight"}, "expected 4x4, found 12x4"},
    {{.rename = BLOCK0 "attn.qkv.weight", .renamed = BLOCK0 "attn.v.weight"}, "attn.qkv.weight is missing"},
    {{.rename = "norm.bias", .renamed = "swin2sr.layernorm.weight"}, "have the same official name"},
    {{.rename = "norm.bias", .renamed = "params.norm.bias"}, "norm.bias is missing"},
    {{.extra = "\"absolute_pos_embed\":{\"dtype\":\"F32\",\"shape\":[1]", .extra_bytes = 4}, "not part of"},
    {{.extra = "\"" BLOCK0 "attn.k_bias\":{\"dtype\":\"F32\",\"shape\":[4]", .extra_bytes = 16}, "not part of"},
    {{.extra = "\"" BLOCK0 "attn.relative_position_index\":{\"dtype\":\"U8\",\"shape\":[50,50]",
      .extra_bytes = 2500,
      .metadata = "{\"dim\":4,\"heads\":2,\"scale\":2,\"feat\":6,\"depths\":[2,1]}"},
     NULL}, /* no window: 8 stays */
    {{.extra = "\"" BLOCK0 "attn.relative_position_index\":{\"dtype\":\"U8\",\"shape\":[49,49]",
      .extra_bytes = 2401,
      .metadata = "{\"dim\":4,\"heads\":2,\"scale\":2,\"feat\":6,\"depths\":[2,1]}"},
     "window 8, the tensors say 7"},
    {{.extra = "\"" BLOCK0 "attn.relative_coords_table\":{\"dtype\":\"U8\",\"shape\":[1,99999999,0]"},
     "window 50000000"},
    {{.metadata = "{\"dim\":4,\"heads\":2,\"scale\":2,\"feat\":6,\"depths\":[2,1]}"}, NULL},
    {{.metadata = "{\"dim\":6,\"heads\":2,\"scale\":2,\"feat\":6,\"depths\":[2,1]}"}, "dim 6, the tensors say 4"},
    {{.metadata = "{\"dim\":4,\"heads\":4,\"scale\":2,\"feat\":6,\"depths\":[2,1]}"}, "heads 4, the tensors say 2"},
    {{.metadata = "{\"dim\":4,\"heads\":2,\"scale\":4,\"feat\":6,\"depths\":[2,1]}"}, "scale 4, the tensors say 2"},
    {{.metadata = "{\"dim\":4,\"heads\":2,\"scale\":2,\"depths\":[2,1]}"}, "features 64, the tensors say 6"},
    {{.metadata = "{\"dim\":4,\"heads\":2,\"scale\":2,\"feat\":6,\"depths\":[2]}"}, "groups 1, the tensors say 2"},
    {{.metadata = "{\"dim\":4,\"heads\":2,\"scale\":2,\"feat\":6,\"depths\":[2,2]}"}, "2 blocks in group 1"},
    {{.metadata = "{\"dim\":4,\"heads\":2,\"scale\":2,\"feat\":6,\"depths\":[2,1],\"ratio\":3}"}, "MLP width 12"},
    {{.metadata = "{\"dim\":4,\"heads\":2,\"scale\":2,\"feat\":6,\"depths\":[2,1],\"channels\":1}"}, "channels 1"},
    {{.metadata = "{\"dim\":4,\"heads\":2,\"scale\":2,\"feat\":6,\"depths\":[2,1],\"triple\":true}"}, "a group 3"},
    {{.metadata = "{\"dim\":4,\"heads\":2,\"scale\":2,\"head\":\"pixelshuffledirect\",\"depths\":[2,1]}"},
     "head \"pixelshuffledirect\", the tensors say \"pixelshuffle\""},
    {{.metadata = "{\"dim\":4,"}, "not a JSON object"},
    {{.metadata = ""}, "not a JSON object"},
};

static void broken_networks_are_refused(void **state) {
    swin2sr__config config = network_config(SWIN2SR__HEAD_PIXELSHUFFLE, 2);
    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        file_bytes file = network_file(&config, &broken[i].change);
        swin2sr__weights *weights = NULL;
        swin2sr_error error = {""};
        swin2sr_status status = swin2sr__weights_open(file.data, file.size, NULL, NULL, &weights, &error);
        swin2sr_status expected = broken[i].says ? SWIN2SR_MODEL : SWIN2SR_OK;
        if (status != expected || (broken[i].says && !strstr(error.text, broken[i].says)))
            fail_msg("case %zu: status %d, \"%s\" does not say \"%s\"", i, status, error.text, broken[i].says);
        swin2sr__weights_close(weights);
        free(file.data);
    }
}

static void read_failures(void **state) {
    static const struct {
        const char *dtype;
        uint32_t bits;
    } poisons[] = {{"F32", 0x7fc00000}, {"F32", 0xff800000}, {"F16", 0x7c00},
                   {"F16", 0xfe01},     {"BF16", 0x7f80},    {"BF16", 0xffff}};
    swin2sr__config config = network_config(SWIN2SR__HEAD_NONE, 1);
    for (size_t i = 0; i < sizeof(poisons) / sizeof(poisons[0]); i++) {
        network_change change = {.poison = "norm.bias", .poison_bits = poisons[i].bits, .dtype = poisons[i].dtype};
        file_bytes file = network_file(&config, &change);
        swin2sr__weights *weights = open_sound(file, NULL);
        swin2sr_error error = {""};
        float numbers[4];
        assert_int_equal(swin2sr__weights_read(weights, "norm.bias", (int64_t[]){4}, 1, numbers, &error),
                         SWIN2SR_MODEL);
        assert_string_equal(error.text, "tensor norm.bias holds a value that is not finite");
        assert_int_equal(swin2sr__weights_read(weights, "norm.bias", (int64_t[]){5}, 1, numbers, &error),
                         SWIN2SR_MODEL);
        assert_string_equal(error.text, "tensor norm.bias: expected 5, found 4");
        assert_int_equal(swin2sr__weights_read(weights, "norm.bias", (int64_t[]){4, 1}, 2, numbers, &error),
                         SWIN2SR_MODEL);
        assert_int_equal(swin2sr__weights_read(weights, "norm", (int64_t[]){4}, 1, numbers, &error), SWIN2SR_MODEL);
        assert_string_equal(error.text, "tensor norm is missing");
        swin2sr__weights_close(weights);
        free(file.data);
    }
}

static void not_networks(void **state) {
    swin2sr__weights *weights = NULL;
    swin2sr_error error = {""};
    file_bytes empty = container_file("{}", 0, 0);
    file_bytes golden = source_file("tests/fixtures/goldens/jpeg_gray.golden.safetensors");
    assert_int_equal(swin2sr__weights_open(empty.data, empty.size, NULL, NULL, &weights, &error), SWIN2SR_MODEL);
    assert_non_null(strstr(error.text, "not a Swin2SR network"));
    assert_int_equal(swin2sr__weights_open(golden.data, golden.size, NULL, NULL, &weights, &error), SWIN2SR_MODEL);
    /* a prefix that only one of the names has stays */
    file_bytes mixed = container_file("{\"params.a\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]},"
                                      "\"b\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}}",
                                      0, 0);
    assert_int_equal(swin2sr__weights_open(mixed.data, mixed.size, NULL, NULL, &weights, &error), SWIN2SR_MODEL);
    free(mixed.data);
    assert_int_equal(swin2sr__weights_open("PK\3\4", 4, NULL, NULL, &weights, &error), SWIN2SR_MODEL);
    assert_null(weights);
    swin2sr__weights_close(NULL);
    free(empty.data);
    free(golden.data);
}

/* shared files */

static void goldens_infer_what_they_declare(void **state) {
    static const char *const names[] = {"classical_x2",   "classical_x3",   "classical_x4",  "classical_x8",
                                        "lightweight_x2", "lightweight_x4", "compressed_x4", "lightweight_x4_scales",
                                        "realworld_x4",   "jpeg_color",     "jpeg_gray",     "realworld_large_x4"};
    static const swin2sr_model_options jpeg = {.window_px = 7, .img_range = 255.0f}; /* the goldens keep no tables */
    int found = 0;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char path[128];
        snprintf(path, sizeof(path), "goldens/%s.safetensors", names[i]);
        file_bytes file = shared_file(path);
        if (!file.data)
            continue;
        swin2sr__weights *declared = open_sound(file, NULL), *inferred = NULL;
        file_bytes hidden = {.data = malloc(file.size), .size = file.size};
        memcpy(hidden.data, file.data, file.size);
        hide_config(hidden);
        const swin2sr_model_options *options = strncmp(names[i], "jpeg", 4) == 0 ? &jpeg : NULL;
        assert_int_equal(swin2sr__weights_open(hidden.data, hidden.size, NULL, options, &inferred, NULL), SWIN2SR_OK);
        assert_config_equal(swin2sr__weights_config(declared), swin2sr__weights_config(inferred));
        assert_all_readable(declared);
        swin2sr__weights_close(declared);
        swin2sr__weights_close(inferred);
        free(file.data);
        free(hidden.data);
        found++;
    }
    if (!found)
        skip();
}

static const swin2sr__tensor *find_in_file(const swin2sr__tensors *file, const char *name) {
    for (size_t i = 0; i < file->tensor_count; i++)
        if (strcmp(file->tensors[i].name, name) == 0)
            return &file->tensors[i];
    fail_msg("%s is not in the file", name);
    return NULL;
}

static void assert_same_numbers(const swin2sr__tensors *file, const char *name, const float *numbers, size_t count) {
    const swin2sr__tensor *tensor = find_in_file(file, name);
    assert_int_equal(tensor->count, count);
    assert_memory_equal(tensor->data, numbers, count * sizeof(float));
}

/* The published lightweight x2 in Hugging Face's names: official names answer with its numbers, config text or not. */
static void hugging_face_file(void **state) {
#define HF_ATTENTION "swin2sr.encoder.stages.2.layers.5.attention.self."
#define ATTENTION "layers.2.residual_group.blocks.5.attn."
    enum {
        C = 60
    };
    static float qkv[3 * C * C], bias[C], scale[6];
    file_bytes file = shared_file("models/swin2sr-lightweight-x2-64/model.safetensors");
    file_bytes text = shared_file("models/swin2sr-lightweight-x2-64/config.json");
    swin2sr__tensors raw;
    if (!file.data || !text.data) {
        free(file.data);
        free(text.data);
        skip();
    }
    swin2sr__weights *weights = open_sound(file, (const char *)text.data), *inferred = open_sound(file, NULL);
    assert_config_equal(swin2sr__weights_config(weights), swin2sr__weights_config(inferred));
    assert_int_equal(swin2sr__safetensors_init(file.data, file.size, &raw, NULL), SWIN2SR_OK);
    assert_int_equal(swin2sr__weights_parameters(weights), (file.size - 8 - 61480) / 4);
    assert_all_readable(weights);
    assert_int_equal(swin2sr__weights_read(weights, ATTENTION "qkv.weight", (int64_t[]){3 * C, C}, 2, qkv, NULL),
                     SWIN2SR_OK);
    assert_same_numbers(&raw, HF_ATTENTION "query.weight", qkv, C * C);
    assert_same_numbers(&raw, HF_ATTENTION "key.weight", qkv + C * C, C * C);
    assert_same_numbers(&raw, HF_ATTENTION "value.weight", qkv + 2 * C * C, C * C);
    assert_int_equal(swin2sr__weights_read(weights, ATTENTION "q_bias", (int64_t[]){C}, 1, bias, NULL), SWIN2SR_OK);
    assert_same_numbers(&raw, HF_ATTENTION "query.bias", bias, C);
    assert_int_equal(swin2sr__weights_read(weights, ATTENTION "v_bias", (int64_t[]){C}, 1, bias, NULL), SWIN2SR_OK);
    assert_same_numbers(&raw, HF_ATTENTION "value.bias", bias, C);
    assert_int_equal(swin2sr__weights_read(weights, ATTENTION "logit_scale", (int64_t[]){6, 1, 1}, 3, scale, NULL),
                     SWIN2SR_OK);
    assert_same_numbers(&raw, HF_ATTENTION "logit_scale", scale, 6);
    swin2sr__tensors_done(&raw);
    swin2sr__weights_close(weights);
    swin2sr__weights_close(inferred);
    free(file.data);
    free(text.data);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fixture_lightweight),
        cmocka_unit_test(fixture_jpeg),
        cmocka_unit_test(default_network),
        cmocka_unit_test(made_networks_are_inferred),
        cmocka_unit_test(types_read_the_same),
        cmocka_unit_test(window_from_tables),
        cmocka_unit_test(options_override),
        cmocka_unit_test(broken_networks_are_refused),
        cmocka_unit_test(read_failures),
        cmocka_unit_test(not_networks),
        cmocka_unit_test(goldens_infer_what_they_declare),
        cmocka_unit_test(hugging_face_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
