/* SPDX-License-Identifier: Apache-2.0
 * test_config.c - config texts of both dialects: defaults, bounds, and one wrong thing at a time.
 * Defaults are those of the reference's Swin2SR() and of Hugging Face's config. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/config.h"

static swin2sr_status parse_and_check(const char *json, swin2sr__config *ret_config, swin2sr_error *reterr) {
    swin2sr_status status = swin2sr__config_parse(json, ret_config, reterr);
    return status == SWIN2SR_OK ? swin2sr__config_check(ret_config, reterr) : status;
}

static void assert_six_by_six(const swin2sr__config *config) {
    assert_int_equal(config->groups, 6);
    for (int g = 0; g < 6; g++)
        assert_int_equal(config->depths[g], 6);
}

static void own_defaults(void **state) {
    swin2sr__config config;
    assert_int_equal(parse_and_check("{}", &config, NULL), SWIN2SR_OK);
    assert_int_equal(config.head, SWIN2SR__HEAD_PIXELSHUFFLE);
    assert_int_equal(config.scale, 4);
    assert_int_equal(config.channels, 3);
    assert_int_equal(config.dim, 180);
    assert_int_equal(config.heads, 6);
    assert_int_equal(config.window_px, 8);
    assert_int_equal(config.hidden, 360);
    assert_int_equal(config.features, 64);
    assert_true(config.img_range == 1.0f);
    assert_false(config.is_triple);
    assert_six_by_six(&config);
}

static void own_values(void **state) {
    swin2sr__config config;
    assert_int_equal(parse_and_check("{\"scale\":1,\"head\":\"\",\"dim\":60,\"depths\":[2,3],\"heads\":5,\"ws\":7,"
                                     "\"ratio\":1.5,\"channels\":1,\"img_range\":255.0,\"triple\":true,\"feat\":32}",
                                     &config, NULL),
                     SWIN2SR_OK);
    assert_int_equal(config.head, SWIN2SR__HEAD_NONE);
    assert_int_equal(config.scale, 1);
    assert_int_equal(config.groups, 2);
    assert_int_equal(config.depths[1], 3);
    assert_int_equal(config.window_px, 7);
    assert_int_equal(config.hidden, 90);
    assert_int_equal(config.channels, 1);
    assert_int_equal(config.features, 0);
    assert_true(config.img_range == 255.0f);
    assert_true(config.is_triple);
}

static void hugging_face(void **state) {
    swin2sr__config config;
    assert_int_equal(parse_and_check("{\"embed_dim\":240,\"num_heads\":[8,8],\"depths\":[6,6],\"upscale\":4,"
                                     "\"upsampler\":\"nearest+conv\",\"resi_connection\":\"3conv\",\"mlp_ratio\":2,"
                                     "\"hidden_act\":\"gelu\",\"layer_norm_eps\":1e-05,\"model_type\":\"swin2sr\"}",
                                     &config, NULL),
                     SWIN2SR_OK);
    assert_int_equal(config.head, SWIN2SR__HEAD_NEAREST_CONV);
    assert_int_equal(config.heads, 8);
    assert_int_equal(config.hidden, 480);
    assert_true(config.is_triple);
    assert_int_equal(parse_and_check("{\"embed_dim\":180}", &config, NULL), SWIN2SR_OK);
    assert_int_equal(config.scale, 2);
    assert_int_equal(config.head, SWIN2SR__HEAD_PIXELSHUFFLE);
    assert_six_by_six(&config);
    assert_int_equal(
        parse_and_check(
            "{\"embed_dim\":180,\"num_heads\":6,\"upsampler\":null,\"upscale\":1,\"num_channels_out\":null}", &config,
            NULL),
        SWIN2SR_OK);
    assert_int_equal(config.head, SWIN2SR__HEAD_NONE);
}

static const struct {
    const char *json, *says;
} wrong[] = {
    {"", "not a JSON object"},
    {"[]", "not a JSON object"},
    {"{\"dim\":60,\"dim\":60}", "not a JSON object"},
    {"{\"dims\":60}", "dims is not known"},
    {"{\"dim\":60.0}", "dim is not a whole number"},
    {"{\"dim\":-60}", "dim is not a whole number"},
    {"{\"dim\":\"60\"}", "dim is not a whole number"},
    {"{\"dim\":4294967356}", "dim is not a whole number"},
    {"{\"dim\":61,\"heads\":1}", "dim 61"},
    {"{\"dim\":1026}", "dim 1026"},
    {"{\"dim\":0}", "dim 0"},
    {"{\"heads\":0}", "heads 0"},
    {"{\"heads\":7}", "7 heads"},
    {"{\"heads\":181}", "heads 181"},
    {"{\"ws\":1}", "window 1:"},
    {"{\"ws\":17}", "window 17"},
    {"{\"ratio\":0}", "ratio is not a positive number"},
    {"{\"ratio\":-1}", "ratio is not a positive number"},
    {"{\"ratio\":1e300}", "ratio is not a positive number"},
    {"{\"ratio\":1000}", "MLP width 65535"},
    {"{\"ratio\":0.001}", "MLP width 0"},
    {"{\"scale\":1}", "scale 1"},
    {"{\"scale\":5}", "scale 5"},
    {"{\"scale\":16}", "scale 16"},
    {"{\"scale\":2,\"head\":\"\"}", "scale 2"},
    {"{\"scale\":2,\"head\":\"nearest+conv\"}", "scale 2"},
    {"{\"head\":\"bicubic\"}", "head is not a known head"},
    {"{\"head\":4}", "head is not a text"},
    {"{\"channels\":0}", "channels 0"},
    {"{\"channels\":2}", "2 channels"},
    {"{\"channels\":4}", "channels 4"},
    {"{\"channels\":1,\"head\":\"pixelshuffle_aux\"}", "1 channels"},
    {"{\"feat\":0}", "features 0"},
    {"{\"feat\":2048}", "features 2048"},
    {"{\"img_range\":2}", "img_range 2"},
    {"{\"img_range\":null}", "img_range is not a positive number"},
    {"{\"triple\":1}", "triple is not true or false"},
    {"{\"triple\":true,\"dim\":2,\"heads\":1}", "dim 2"},
    {"{\"depths\":6}", "depths is not a list"},
    {"{\"depths\":[]}", "groups 0"},
    {"{\"depths\":[6,0]}", "depth 0"},
    {"{\"depths\":[33]}", "depth 33"},
    {"{\"depths\":[6,\"6\"]}", "depths is not a list"},
    {"{\"depths\":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]}", "at most 32"},
    {"{\"embed_dim\":60,\"num_heads\":[6,5]}", "num_heads is not the same"},
    {"{\"embed_dim\":60,\"num_heads\":[]}", "num_heads is not a list"},
    {"{\"embed_dim\":60,\"num_heads\":{}}", "num_heads is not a list"},
    {"{\"embed_dim\":60,\"resi_connection\":\"2conv\"}", "resi_connection"},
    {"{\"embed_dim\":60,\"hidden_act\":\"relu\"}", "hidden_act is not gelu"},
    {"{\"embed_dim\":60,\"layer_norm_eps\":1e-12}", "layer_norm_eps is not 1e-5"},
    {"{\"embed_dim\":60,\"patch_size\":4}", "patch_size is not 1"},
    {"{\"embed_dim\":60,\"use_absolute_embeddings\":true}", "use_absolute_embeddings"},
    {"{\"embed_dim\":60,\"qkv_bias\":false}", "qkv_bias"},
    {"{\"embed_dim\":60,\"num_channels_out\":1}", "num_channels_out"},
};

static void wrong_texts_are_refused(void **state) {
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        swin2sr__config config;
        swin2sr_error error = {""};
        swin2sr_status status = parse_and_check(wrong[i].json, &config, &error);
        if (status != SWIN2SR_MODEL || !strstr(error.text, wrong[i].says))
            fail_msg("%s: status %d, \"%s\" does not say \"%s\"", wrong[i].json, status, error.text, wrong[i].says);
        assert_int_equal(parse_and_check(wrong[i].json, &config, NULL), SWIN2SR_MODEL);
    }
}

static void long_texts_are_refused(void **state) {
    swin2sr__config config;
    size_t size = (1u << 20) + 1;
    char *json = malloc(size);
    assert_non_null(json);
    memset(json, ' ', size);
    json[0] = '{';
    json[size - 2] = '}';
    json[size - 1] = '\0';
    assert_int_equal(swin2sr__config_parse(json, &config, NULL), SWIN2SR_MODEL);
    free(json);
}

static void head_names(void **state) {
    assert_string_equal(swin2sr__head_name(SWIN2SR__HEAD_NONE), "");
    assert_string_equal(swin2sr__head_name(SWIN2SR__HEAD_NEAREST_CONV), "nearest+conv");
    assert_string_equal(swin2sr__head_name(SWIN2SR__HEAD_COUNT), "?");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(own_defaults),           cmocka_unit_test(own_values),
        cmocka_unit_test(hugging_face),           cmocka_unit_test(wrong_texts_are_refused),
        cmocka_unit_test(long_texts_are_refused), cmocka_unit_test(head_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
