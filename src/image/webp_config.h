/* SPDX-License-Identifier: Apache-2.0
 * image/webp_config.h - how WebP is encoded, for pictures and for frames (stage 8 of 9).
 * docs/performance.md has the times and sizes of the levels. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <webp/encode.h>

#include "format/compression.h"

/* quality  1..100; 100: without loss. returns false if libwebp is of another version than its headers. */
bool webp_config_set(WebPConfig *config, int32_t quality, format_compression compression);
