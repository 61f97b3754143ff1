/* SPDX-License-Identifier: Apache-2.0
 * model/network.c - the layers of a network and their shapes. */
#include "model/network.h"

#include <stdio.h>

static void add_stage(swin2sr__network *network, const char *name, swin2sr__stage_kind kind, int32_t in_channels,
                      int32_t out_channels, int32_t shuffle, float slope) {
    swin2sr__stage *stage = &network->stages[network->stages_count++];
    *stage = (swin2sr__stage){
        .kind = kind, .in_channels = in_channels, .out_channels = out_channels, .shuffle = shuffle, .slope = slope};
    snprintf(stage->name, sizeof stage->name, "%s", name);
}

static void add_shuffles(swin2sr__network *network) {
    int32_t features = network->config.features, factor = network->config.scale == 3 ? 3 : 2;
    for (int32_t done = 1, i = 0; done < network->config.scale; done *= factor, i += 2) {
        char name[24];
        snprintf(name, sizeof name, "upsample.%d", i);
        add_stage(network, name, SWIN2SR__STAGE_SHUFFLED, features, features, factor, 1.0f);
    }
}

static void add_head(swin2sr__network *network) {
    const swin2sr__config *config = &network->config;
    int32_t features = config->features, channels = config->channels;
    if (config->head == SWIN2SR__HEAD_PIXELSHUFFLEDIRECT) {
        add_stage(network, "upsample.0", SWIN2SR__STAGE_PLAIN, config->dim, channels, config->scale, 1.0f);
        return;
    }
    if (config->head == SWIN2SR__HEAD_NONE) {
        add_stage(network, "conv_last", SWIN2SR__STAGE_PLAIN, config->dim, channels, 1, 1.0f);
        return;
    }
    add_stage(network, "conv_before_upsample.0", SWIN2SR__STAGE_PLAIN, config->dim, features, 1, 0.01f);
    if (config->head == SWIN2SR__HEAD_NEAREST_CONV) {
        add_stage(network, "conv_up1", SWIN2SR__STAGE_DOUBLED, features, features, 2, 0.2f);
        add_stage(network, "conv_up2", SWIN2SR__STAGE_DOUBLED, features, features, 2, 0.2f);
        add_stage(network, "conv_hr", SWIN2SR__STAGE_PLAIN, features, features, 1, 0.2f);
    }
    if (config->head == SWIN2SR__HEAD_PIXELSHUFFLE_AUX) {
        add_stage(network, "conv_aux", SWIN2SR__STAGE_PLAIN, features, channels, 1, 1.0f);
        add_stage(network, "conv_after_aux.0", SWIN2SR__STAGE_PLAIN, channels, features, 1, 0.01f);
    }
    if (config->head != SWIN2SR__HEAD_NEAREST_CONV)
        add_shuffles(network);
    add_stage(network, "conv_last", swin2sr__network_has_aux(network) ? SWIN2SR__STAGE_JOINED : SWIN2SR__STAGE_PLAIN,
              features, channels, 1, 1.0f);
}

swin2sr__network swin2sr__network_of(const swin2sr__config *config) {
    swin2sr__network network = {.config = *config, .mean = {0.4488f, 0.4371f, 0.4040f}};
    if (config->channels == 1)
        network.mean[0] = 0.0f;
    add_head(&network);
    return network;
}

int32_t swin2sr__network_padded(const swin2sr__network *network, int32_t side_px, swin2sr_pad pad) {
    int32_t window = network->config.window_px;
    return pad == SWIN2SR_PAD_SYMMETRIC_ALWAYS ? (side_px / window + 1) * window
                                               : (side_px + window - 1) / window * window;
}

/* One body convolution, or three. */
static double macs_of_body_conv(const swin2sr__config *config) {
    double C = config->dim, narrow = config->dim / 4;
    return config->is_triple ? 18.0 * C * narrow + narrow * narrow : 9.0 * C * C;
}

double swin2sr__network_macs_per_pixel(const swin2sr__network *network) {
    const swin2sr__config *config = &network->config;
    double C = config->dim, tokens = (double)config->window_px * config->window_px, body = macs_of_body_conv(config);
    double macs = 9.0 * config->channels * C + C * C; /* with the embedding's 1x1, as published */
    for (int32_t i = 0; i < config->groups; i++) {
        double block = 4.0 * C * C + 2.0 * C * config->hidden + 2.0 * tokens * C;
        macs += config->depths[i] * block + body + C * C;
    }
    macs += body;
    double pixels = 1.0;
    for (int32_t i = 0; i < network->stages_count; i++) {
        const swin2sr__stage *stage = &network->stages[i];
        macs += pixels * 9.0 * stage->in_channels * stage->out_channels * stage->shuffle * stage->shuffle;
        pixels *= stage->shuffle * stage->shuffle;
    }
    if (swin2sr__network_has_aux(network))
        macs += pixels * 9.0 * config->channels * config->features;
    return macs;
}
