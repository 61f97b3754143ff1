/* SPDX-License-Identifier: Apache-2.0
 * queue/nats_api.h - libnats, loaded only by servers that are given --nats. */
#pragma once

#include <nats/nats.h>

#include <swin2sr/status.h>

/* clang-format off */
/* The functions in use. */
#define NATS_FUNCTIONS(X) \
    X(natsOptions_Create) X(natsOptions_Destroy) X(natsOptions_SetServers) X(natsOptions_SetName) \
    X(natsOptions_SetTimeout) X(natsOptions_SetMaxReconnect) X(natsOptions_SetReconnectWait) \
    X(natsOptions_SetPingInterval) X(natsOptions_SetMaxPingsOut) X(natsOptions_SetReconnectedCB) \
    X(natsConnection_Connect) X(natsConnection_Destroy) X(natsConnection_Close) X(natsConnection_Status) \
    X(natsConnection_JetStream) X(natsConnection_PublishString) X(natsConnection_Subscribe) X(jsCtx_Destroy) \
    X(jsOptions_Init) X(jsStreamConfig_Init) X(jsConsumerConfig_Init) X(jsSubOptions_Init) X(jsPubOptions_Init) \
    X(js_AddStream) X(js_GetStreamInfo) X(jsStreamInfo_Destroy) X(js_AddConsumer) X(jsConsumerInfo_Destroy) \
    X(js_PullSubscribe) X(js_Publish) X(jsPubAck_Destroy) X(natsSubscription_Fetch) X(natsSubscription_Destroy) \
    X(natsMsgList_Destroy) X(natsMsg_GetData) X(natsMsg_GetDataLength) X(natsMsg_GetReply) \
    X(natsMsg_Destroy)
/* clang-format on */

#define NATS_MEMBER(name) __typeof__(name) *name;
typedef struct nats_api {
    NATS_FUNCTIONS(NATS_MEMBER)
} nats_api;

/* Load libnats, which stays loaded until the program ends.
 * errors  _UNSUPPORTED (not installed, or too old); the detail names the package. */
SWIN2SR_MUST_CHECK swin2sr_status nats_api_load(nats_api *ret_api, swin2sr_error *reterr);
