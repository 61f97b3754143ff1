/* SPDX-License-Identifier: Apache-2.0
 * api/routes.h - the table of paths, and the handlers in it.
 * The metrics count requests by the position of the route in the table. */
#pragma once

#include "http/router.h"

extern const http_route routes[];
extern const size_t routes_count;

void upscale_on_begin(http_request *request);
void upscale_on_body(http_request *request, const void *data, size_t size);
void upscale_on_end(http_request *request);
void upscale_on_gone(http_request *request);
void upscale_on_free(http_request *request);
void uploads_on_options(http_request *request);
void uploads_on_create(http_request *request);
void uploads_on_head(http_request *request);
void uploads_on_delete(http_request *request);
void uploads_on_patch(http_request *request);
void uploads_on_body(http_request *request, const void *data, size_t size);
void uploads_on_end(http_request *request);
void uploads_on_gone(http_request *request);
void uploads_on_free(http_request *request);
void jobs_post_on_begin(http_request *request);
void estimate_on_begin(http_request *request);
void jobs_on_begin(http_request *request);
void job_on_begin(http_request *request);
void job_delete_on_begin(http_request *request);
void job_delete_on_free(http_request *request);
void job_result_on_begin(http_request *request);
void job_preview_on_begin(http_request *request);
void job_input_on_begin(http_request *request);
void job_result_on_free(http_request *request); /* of these three */
void job_events_on_begin(http_request *request);
void job_events_on_free(http_request *request);
void health_on_begin(http_request *request);
void ready_on_begin(http_request *request);
void metrics_on_begin(http_request *request);
void models_on_begin(http_request *request);
void status_on_begin(http_request *request);
void status_page_on_begin(http_request *request);
void page_on_begin(http_request *request);
void asset_on_begin(http_request *request);
void openapi_on_begin(http_request *request);
void icon_on_begin(http_request *request);
