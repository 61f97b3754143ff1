/* SPDX-License-Identifier: Apache-2.0
 * model/config.c - read, bound and compare the shape of a network.
 * In: a config text, untrusted until checked.  Out: numbers within the bounds of config.h.
 * An unknown key that could change what the network computes is an error, so that no network is computed wrongly. */
#include "model/config.h"

#include <math.h>
#include <string.h>

#include <jansson.h>

#include "base/error.h"

#define MAX_TEXT_BYTES (1u << 20)
#define MAX_PARSED 65535 /* for any whole number; config_check has the bounds of each key */

static const char *const head_names[SWIN2SR__HEAD_COUNT] = {"", "pixelshuffledirect", "pixelshuffle", "nearest+conv",
                                                            "pixelshuffle_aux"};

const char *swin2sr__head_name(swin2sr__head head) {
    return (unsigned)head < SWIN2SR__HEAD_COUNT ? head_names[head] : "?";
}

/* The object and the first failure. After a failure the readers do nothing. */
typedef struct reader {
    json_t *object;
    swin2sr_status status;
    swin2sr_error *reterr;
} reader;

static void fail(reader *in, const char *key, const char *expected) {
    if (in->status == SWIN2SR_OK)
        in->status = swin2sr__error_set(in->reterr, SWIN2SR_MODEL, "config key %s is not %s", key, expected);
}

static bool is_whole(const json_t *value) {
    return json_is_integer(value) && json_integer_value(value) >= 0 && json_integer_value(value) <= MAX_PARSED;
}

static int32_t read_whole(reader *in, const char *key, int32_t fallback) {
    json_t *value = json_object_get(in->object, key);
    if (!value)
        return fallback;
    if (!is_whole(value)) {
        fail(in, key, "a whole number");
        return fallback;
    }
    return (int32_t)json_integer_value(value);
}

static double read_real(reader *in, const char *key, double fallback) {
    json_t *value = json_object_get(in->object, key);
    if (!value)
        return fallback;
    if (!json_is_number(value) || !(json_number_value(value) > 0 && json_number_value(value) <= MAX_PARSED)) {
        fail(in, key, "a positive number");
        return fallback;
    }
    return json_number_value(value);
}

static bool read_bool(reader *in, const char *key, bool fallback) {
    json_t *value = json_object_get(in->object, key);
    if (value && !json_is_boolean(value))
        fail(in, key, "true or false");
    return json_is_boolean(value) ? json_is_true(value) : fallback;
}

static const char *read_text(reader *in, const char *key, const char *fallback) {
    json_t *value = json_object_get(in->object, key);
    if (value && !json_is_string(value))
        fail(in, key, "a text");
    return json_is_string(value) ? json_string_value(value) : fallback;
}

static swin2sr__head read_head(reader *in, const char *key) {
    const char *name = json_is_null(json_object_get(in->object, key)) ? "" : read_text(in, key, "pixelshuffle");
    for (int head = 0; head < SWIN2SR__HEAD_COUNT; head++)
        if (strcmp(name, head_names[head]) == 0)
            return (swin2sr__head)head;
    fail(in, key, "a known head");
    return SWIN2SR__HEAD_NONE;
}

/* Both kinds of config default to six groups of six blocks. */
static void read_depths(reader *in, swin2sr__config *config) {
    json_t *depths = json_object_get(in->object, "depths");
    if (!depths) {
        config->groups = 6;
        for (int g = 0; g < config->groups; g++)
            config->depths[g] = 6;
        return;
    }
    if (!json_is_array(depths) || json_array_size(depths) > SWIN2SR__MAX_GROUPS) {
        fail(in, "depths", "a list of at most 32 numbers");
        return;
    }
    config->groups = (int32_t)json_array_size(depths);
    for (int g = 0; g < config->groups; g++) {
        if (!is_whole(json_array_get(depths, g)))
            fail(in, "depths", "a list of whole numbers");
        else
            config->depths[g] = (int32_t)json_integer_value(json_array_get(depths, g));
    }
}

/* Hugging Face lists the attention heads of each group. Only networks whose groups have equal numbers are supported. */
static int32_t read_num_heads(reader *in) {
    json_t *list = json_object_get(in->object, "num_heads");
    if (!list)
        return 6;
    if (is_whole(list))
        return (int32_t)json_integer_value(list);
    json_t *first = json_array_get(list, 0);
    if (!is_whole(first))
        fail(in, "num_heads", "a list of whole numbers");
    for (size_t g = 1; g < json_array_size(list); g++)
        if (!json_equal(json_array_get(list, g), first))
            fail(in, "num_heads", "the same for all groups");
    return is_whole(first) ? (int32_t)json_integer_value(first) : 6;
}

static void read_own(reader *in, swin2sr__config *config) {
    static const char *const known[] = {"scale", "head",     "dim",       "depths", "heads", "ws",
                                        "ratio", "channels", "img_range", "triple", "feat"};
    const char *key;
    json_t *value;
    json_object_foreach(in->object, key, value) {
        size_t i = 0;
        while (i < sizeof(known) / sizeof(known[0]) && strcmp(key, known[i]) != 0)
            i++;
        if (i == sizeof(known) / sizeof(known[0]) && in->status == SWIN2SR_OK)
            in->status = swin2sr__error_set(in->reterr, SWIN2SR_MODEL, "config key %.40s is not known", key);
    }
    config->head = read_head(in, "head");
    config->scale = read_whole(in, "scale", 4);
    config->channels = read_whole(in, "channels", 3);
    config->dim = read_whole(in, "dim", 180);
    config->heads = read_whole(in, "heads", 6);
    config->window_px = read_whole(in, "ws", 8);
    config->hidden = (int32_t)fmin(config->dim * read_real(in, "ratio", 2.0), MAX_PARSED);
    config->features = read_whole(in, "feat", 64);
    config->img_range = (float)read_real(in, "img_range", 1.0);
    config->is_triple = read_bool(in, "triple", false);
}

/* Keys that have one supported value each, because any other value changes the arithmetic. */
static void check_hugging_face_constants(reader *in) {
    if (strcmp(read_text(in, "hidden_act", "gelu"), "gelu") != 0)
        fail(in, "hidden_act", "gelu");
    if (fabs(read_real(in, "layer_norm_eps", 1e-5) - 1e-5) > 1e-9)
        fail(in, "layer_norm_eps", "1e-5");
    if (read_whole(in, "patch_size", 1) != 1)
        fail(in, "patch_size", "1");
    if (read_bool(in, "use_absolute_embeddings", false))
        fail(in, "use_absolute_embeddings", "false");
    if (!read_bool(in, "qkv_bias", true))
        fail(in, "qkv_bias", "true");
}

static void read_hugging_face(reader *in, swin2sr__config *config) {
    const char *connection = read_text(in, "resi_connection", "1conv");
    config->head = read_head(in, "upsampler");
    config->scale = read_whole(in, "upscale", 2);
    config->channels = read_whole(in, "num_channels", 3);
    config->dim = read_whole(in, "embed_dim", 180);
    config->heads = read_num_heads(in);
    config->window_px = read_whole(in, "window_size", 8);
    config->hidden = (int32_t)fmin(config->dim * read_real(in, "mlp_ratio", 2.0), MAX_PARSED);
    config->features = 64;
    config->img_range = (float)read_real(in, "img_range", 1.0);
    config->is_triple = strcmp(connection, "3conv") == 0;
    if (!config->is_triple && strcmp(connection, "1conv") != 0)
        fail(in, "resi_connection", "1conv or 3conv");
    if (!json_is_null(json_object_get(in->object, "num_channels_out")) &&
        read_whole(in, "num_channels_out", config->channels) != config->channels)
        fail(in, "num_channels_out", "the same as num_channels");
    check_hugging_face_constants(in);
}

static bool has_features(swin2sr__head head) {
    return head != SWIN2SR__HEAD_NONE && head != SWIN2SR__HEAD_PIXELSHUFFLEDIRECT;
}

swin2sr_status swin2sr__config_parse(const char *json, swin2sr__config *ret_config, swin2sr_error *reterr) {
    swin2sr__config config = {0};
    json_error_t error;
    if (strnlen(json, MAX_TEXT_BYTES) == MAX_TEXT_BYTES)
        return swin2sr__error_set(reterr, SWIN2SR_MODEL, "the config is longer than %u bytes", MAX_TEXT_BYTES);
    json_t *root = json_loads(json, JSON_REJECT_DUPLICATES, &error);
    if (!root && !error.text[0]) /* jansson sets no text when memory runs out */
        return swin2sr__error_set(reterr, SWIN2SR_NOMEM, "no memory for the config");
    reader in = {.object = root, .status = SWIN2SR_OK, .reterr = reterr};
    if (!json_is_object(root))
        in.status = swin2sr__error_set(reterr, SWIN2SR_MODEL, "the config is not a JSON object");
    else if (json_object_get(root, "embed_dim"))
        read_hugging_face(&in, &config);
    else
        read_own(&in, &config);
    read_depths(&in, &config);
    json_decref(root);
    if (!has_features(config.head))
        config.features = 0;
    if (in.status == SWIN2SR_OK)
        *ret_config = config;
    return in.status;
}

static swin2sr_status check_range(const char *what, int32_t value, int32_t min, int32_t max, swin2sr_error *reterr) {
    if (value < min || value > max)
        return swin2sr__error_set(reterr, SWIN2SR_MODEL, "%s %d: must be %d..%d", what, value, min, max);
    return SWIN2SR_OK;
}

static swin2sr_status check_ranges(const swin2sr__config *config, swin2sr_error *reterr) {
    bool is_featured = has_features(config->head);
    const struct {
        const char *what;
        int32_t value, min, max;
    } ranges[] = {
        {"dim", config->dim, 2, 1024},        {"heads", config->heads, 1, config->dim},
        {"window", config->window_px, 2, 16}, {"MLP width", config->hidden, 1, 8192},
        {"scale", config->scale, 1, 8},       {"features", config->features, is_featured, is_featured ? 1024 : 0},
        {"channels", config->channels, 1, 3}, {"groups", config->groups, 1, SWIN2SR__MAX_GROUPS},
    };
    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
        swin2sr_status status = check_range(ranges[i].what, ranges[i].value, ranges[i].min, ranges[i].max, reterr);
        if (status != SWIN2SR_OK)
            return status;
    }
    for (int g = 0; g < config->groups; g++) {
        swin2sr_status status = check_range("depth", config->depths[g], 1, SWIN2SR__MAX_DEPTH, reterr);
        if (status != SWIN2SR_OK)
            return status;
    }
    return SWIN2SR_OK;
}

static bool is_scale_of(swin2sr__head head, int32_t scale) {
    if (head == SWIN2SR__HEAD_NONE)
        return scale == 1;
    if (head == SWIN2SR__HEAD_NEAREST_CONV)
        return scale == 4;
    return scale == 2 || scale == 3 || scale == 4 || scale == 8;
}

swin2sr_status swin2sr__config_check(const swin2sr__config *config, swin2sr_error *reterr) {
    swin2sr_status status = check_ranges(config, reterr);
    if (status != SWIN2SR_OK)
        return status;
    if (config->dim % 2 || config->dim % config->heads || (config->is_triple && config->dim < 4))
        return swin2sr__error_set(reterr, SWIN2SR_MODEL, "dim %d is odd, or not a multiple of %d heads", config->dim,
                                  config->heads);
    if (!is_scale_of(config->head, config->scale))
        return swin2sr__error_set(reterr, SWIN2SR_MODEL, "scale %d is impossible with head \"%s\"", config->scale,
                                  swin2sr__head_name(config->head));
    if (config->channels == 2 || (config->head == SWIN2SR__HEAD_PIXELSHUFFLE_AUX && config->channels != 3))
        return swin2sr__error_set(reterr, SWIN2SR_MODEL, "%d channels are impossible with head \"%s\"",
                                  config->channels, swin2sr__head_name(config->head));
    if (config->img_range != 1.0f && config->img_range != 255.0f)
        return swin2sr__error_set(reterr, SWIN2SR_MODEL, "img_range %g is neither 1 nor 255",
                                  (double)config->img_range);
    return SWIN2SR_OK;
}

swin2sr_status swin2sr__config_match(const swin2sr__config *declared, const swin2sr__config *found,
                                     swin2sr_error *reterr) {
    const struct {
        const char *what;
        int32_t declared, found;
    } values[] = {
        {"dim", declared->dim, found->dim},
        {"channels", declared->channels, found->channels},
        {"groups", declared->groups, found->groups},
        {"heads", declared->heads, found->heads},
        {"MLP width", declared->hidden, found->hidden},
        {"scale", declared->scale, found->scale},
        {"features", declared->features, found->features},
        {"window", declared->window_px, found->window_px ? found->window_px : declared->window_px},
        {"convolutions a group", declared->is_triple ? 3 : 1, found->is_triple ? 3 : 1},
    };
    if (declared->head != found->head)
        return swin2sr__error_set(reterr, SWIN2SR_MODEL, "the config says head \"%s\", the tensors say \"%s\"",
                                  swin2sr__head_name(declared->head), swin2sr__head_name(found->head));
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
        if (values[i].declared != values[i].found)
            return swin2sr__error_set(reterr, SWIN2SR_MODEL, "the config says %s %d, the tensors say %d",
                                      values[i].what, values[i].declared, values[i].found);
    for (int g = 0; g < declared->groups; g++)
        if (declared->depths[g] != found->depths[g])
            return swin2sr__error_set(reterr, SWIN2SR_MODEL,
                                      "the config says %d blocks in group %d, the tensors say %d", declared->depths[g],
                                      g, found->depths[g]);
    return SWIN2SR_OK;
}
