/* SPDX-License-Identifier: Apache-2.0
 * device.h - the GPUs of this machine as JSON, for `swin2sr device list` and for reports. */
#pragma once

#include <jansson.h>

#include <swin2sr/status.h>

/* A list of the Vulkan devices. It is empty where there are none, and reterr says what is missing. */
json_t *device_list_json(swin2sr_error *reterr);
