/* SPDX-License-Identifier: Apache-2.0
 * test_names.c - Hugging Face names against official ones, for every kind of tensor and head.
 * The pairs follow the published conversion from the official checkpoints; one row a naming rule. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/names.h"
#include "network_file.h"

#define HF "swin2sr.encoder.stages.3.layers.12."
#define OFFICIAL "layers.3.residual_group.blocks.12."

static const struct {
    const char *hugging_face, *official;
} pairs[] = {
    {"swin2sr.first_convolution.weight", "conv_first.weight"},
    {"swin2sr.embeddings.patch_embeddings.projection.bias", "patch_embed.proj.bias"},
    {"swin2sr.embeddings.patch_embeddings.layernorm.weight", "patch_embed.norm.weight"},
    {HF "attention.self.logit_scale", OFFICIAL "attn.logit_scale"},
    {HF "attention.self.continuous_position_bias_mlp.0.weight", OFFICIAL "attn.cpb_mlp.0.weight"},
    {HF "attention.self.continuous_position_bias_mlp.2.weight", OFFICIAL "attn.cpb_mlp.2.weight"},
    {HF "attention.self.query.weight", OFFICIAL "attn.q.weight"},
    {HF "attention.self.query.bias", OFFICIAL "attn.q_bias"},
    {HF "attention.self.key.weight", OFFICIAL "attn.k.weight"},
    {HF "attention.self.value.weight", OFFICIAL "attn.v.weight"},
    {HF "attention.self.value.bias", OFFICIAL "attn.v_bias"},
    {HF "attention.self.relative_position_index", OFFICIAL "attn.relative_position_index"},
    {HF "attention.output.dense.weight", OFFICIAL "attn.proj.weight"},
    {HF "layernorm_before.bias", OFFICIAL "norm1.bias"},
    {HF "layernorm_after.weight", OFFICIAL "norm2.weight"},
    {HF "intermediate.dense.weight", OFFICIAL "mlp.fc1.weight"},
    {HF "output.dense.bias", OFFICIAL "mlp.fc2.bias"},
    {"swin2sr.encoder.stages.0.conv.weight", "layers.0.conv.weight"},
    {"swin2sr.encoder.stages.0.conv.4.bias", "layers.0.conv.4.bias"},
    {"swin2sr.encoder.stages.5.patch_embed.projection.weight", "layers.5.patch_embed.proj.weight"},
    {"swin2sr.layernorm.weight", "norm.weight"},
    {"swin2sr.conv_after_body.bias", "conv_after_body.bias"},
    {"swin2sr.conv_after_body.2.weight", "conv_after_body.2.weight"},
    {"upsample.conv.weight", "upsample.0.weight"},
    {"upsample.upsample.convolution.weight", "upsample.0.weight"},
    {"upsample.upsample.convolution_0.bias", "upsample.0.bias"},
    {"upsample.upsample.convolution_1.weight", "upsample.2.weight"},
    {"upsample.upsample.convolution_2.weight", "upsample.4.weight"},
    {"upsample.conv_before_upsample.weight", "conv_before_upsample.0.weight"},
    {"upsample.final_convolution.bias", "conv_last.bias"},
    {"upsample.conv_up1.weight", "conv_up1.weight"},
    {"upsample.conv_up2.bias", "conv_up2.bias"},
    {"upsample.conv_hr.weight", "conv_hr.weight"},
    {"upsample.conv_bicubic.weight", "conv_bicubic.weight"},
    {"upsample.conv_aux.bias", "conv_aux.bias"},
    {"upsample.conv_after_aux.0.weight", "conv_after_aux.0.weight"},
    {"final_convolution.weight", "conv_last.weight"},
    /* nothing to rename */
    {"", ""},
    {"swin2sr.encoder.stages.x.conv.weight", "encoder.stages.x.conv.weight"},
    {"swin2sr.encoder.stages.12345.conv.weight", "encoder.stages.12345.conv.weight"},
};

static void hugging_face_to_official(void **state) {
    char official[SWIN2SR__MAX_NAME_BYTES];
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        swin2sr__names_official(pairs[i].hugging_face, official);
        assert_string_equal(official, pairs[i].official);
    }
}

static swin2sr_status check_unchanged(void *context, const char *name, const int64_t *shape, int rank) {
    char official[SWIN2SR__MAX_NAME_BYTES];
    swin2sr__names_official(name, official);
    assert_string_equal(official, name);
    assert_int_equal(swin2sr__names_prefix(name), 0);
    assert_false(swin2sr__names_is_buffer(name));
    assert_in_range(rank, 1, SWIN2SR__MAX_WEIGHT_RANK);
    ++*(int *)context;
    return SWIN2SR_OK;
}

/* 8 of the stem, 17 a block, 4 a group and 2 of the body, and the head's. */
static void official_names_stay(void **state) {
    static const int head_tensors[SWIN2SR__HEAD_COUNT] = {2, 2, 4 + 4, 4 + 6, 4 + 4 + 6};
    for (int head = 0; head < SWIN2SR__HEAD_COUNT; head++) {
        swin2sr__config config = network_config((swin2sr__head)head, head ? 4 : 1);
        int count = 0;
        assert_int_equal(swin2sr__names_each(&config, check_unchanged, &count), SWIN2SR_OK);
        assert_int_equal(count, 8 + 3 * 17 + 2 * 4 + 2 + head_tensors[head]);
    }
}

static void longest_names_fit(void **state) {
    char name[SWIN2SR__MAX_NAME_BYTES], official[SWIN2SR__MAX_NAME_BYTES];
    memset(name, 'n', sizeof(name));
    memcpy(name, HF, strlen(HF));
    name[sizeof(name) - 1] = '\0';
    swin2sr__names_official(name, official);
    assert_int_equal(strlen(official), sizeof(name) - 1 - strlen(HF) + strlen(OFFICIAL));
    memset(name, 'n', sizeof(name) - 1);
    swin2sr__names_official(name, official);
    assert_string_equal(official, name);
}

static void prefixes_and_buffers(void **state) {
    assert_int_equal(swin2sr__names_prefix("params_ema.conv_first.weight"), 11);
    assert_int_equal(swin2sr__names_prefix("params.conv_first.weight"), 7);
    assert_int_equal(swin2sr__names_prefix("module.conv_first.weight"), 7);
    assert_int_equal(swin2sr__names_prefix("params"), 0);
    assert_true(swin2sr__names_is_buffer(OFFICIAL "attn.relative_coords_table"));
    assert_true(swin2sr__names_is_buffer(OFFICIAL "attn_mask"));
    assert_true(swin2sr__names_is_buffer("attn_mask"));
    assert_false(swin2sr__names_is_buffer("attn_mask.weight"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hugging_face_to_official),
        cmocka_unit_test(official_names_stay),
        cmocka_unit_test(longest_names_fit),
        cmocka_unit_test(prefixes_and_buffers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
