/* SPDX-License-Identifier: Apache-2.0
 * config/config.h - the settings of the server, checked: flags over environment over file over defaults. */
#pragma once

#include <stdbool.h>
#include <string.h>

#include "config/limits.h"
#include "library/library.h"

typedef struct served_model {
    char name[LIBRARY_MAX_NAME];
    char path[LIBRARY_MAX_PATH]; /* of the weight file; "": built into the worker program */
    int32_t workers;             /* of its pool; 0: not given */
} served_model;

typedef struct served_models {
    served_model rows[LIMIT_MODELS]; /* the first is the default; names are unique */
    int32_t count;                   /* 1.. */
    int32_t pool_count;              /* the built-in networks share one pool, each file has its own */
} served_models;

typedef struct listen_address {
    char host[64];                      /* numeric address or a name */
    char port[8];                       /* 0: any free port */
    char path[LIMIT_SOCKET_PATH_BYTES]; /* of a Unix socket; "": host and port */
} listen_address;

typedef struct listen_list {
    char text[LIMIT_LISTEN_BYTES]; /* of repeated flags */
    listen_address rows[LIMIT_LISTEN];
    int32_t count;
} listen_list;

/* An address of either family: IPv6, or IPv4 as ::ffff:a.b.c.d. */
typedef struct client_address {
    unsigned char bytes[16];
} client_address;

typedef struct proxy_network {
    client_address address;
    int bits; /* of the address that count, 0..128; of IPv4: 96..128 */
} proxy_network;

typedef struct proxy_list {
    proxy_network networks[LIMIT_PROXIES];
    int count;
    bool has_local; /* "unix": clients of Unix sockets */
} proxy_list;

/* Hosts that this server may send to. */
typedef struct host_list {
    const char *text;    /* as it was given, with the names; NULL: none */
    proxy_list networks; /* without has_local */
} host_list;

/* The user that the server becomes if it is started as root. */
typedef struct server_user {
    uint32_t uid, gid; /* 0: none */
} server_user;

/* What the workers compute on. */
typedef struct device_choice {
    char names[LIMIT_DEVICES][LIMIT_DEVICE_NAME_BYTES]; /* "vulkan:N", each once */
    int32_t count;                                      /* 0, without is_auto: the CPU */
    bool is_auto;                                       /* the GPUs that workers find */
} device_choice;

/* What to do with an image that has a side over LIMIT_OVERSIZE_PX. */
typedef enum oversize_choice {
    OVERSIZE_AUTO = 0, /* whole where time allows it */
    OVERSIZE_TILE,     /* in overlapping tiles */
    OVERSIZE_SHRINK,   /* reduced to that side first */
    OVERSIZE_REJECT,
    OVERSIZE_COUNT
} oversize_choice;
#define OVERSIZE_NAMES "auto, tile, shrink, reject" /* in this order */

typedef struct server_config {
    listen_list listen;         /* 1.. */
    listen_list metrics_listen; /* for /metrics alone; count 0: it is served with the rest */
    int32_t workers;            /* per pool, where models_text gives no number */
    int32_t worker_count;       /* of all pools together */
    int32_t threads;            /* per worker */
    const char *models_text;
    served_models models; /* models_text, parsed; the workers of each are set */
    const char *precision;
    const char *device_text;
    device_choice devices; /* device_text, parsed */
    uint64_t body_bytes_max;
    uint64_t in_pixels_max;
    int32_t oversize;             /* an oversize_choice */
    int32_t sync_limit_s;         /* predicted computing of a request from which on OVERSIZE_AUTO reduces its image */
    uint64_t worker_memory_bytes; /* of each worker */
    int32_t frames_max;           /* of an animation */
    int32_t queue_max;
    int32_t deadline_s;
    int32_t drain_delay_s, drain_s;
    int32_t log_level;     /* a log_level of log/log.h */
    int32_t is_log_client; /* 1: the log has the address of each request's client */
    int32_t stall_s;       /* a worker may make no progress for this and the predicted time */
    int32_t recycle_jobs;  /* a worker is replaced after this many; 0: never */
    int32_t connections_max;
    int32_t client_connections_max; /* per client address; 0: no limit */
    int32_t idle_s;                 /* without a byte in either direction */
    int32_t header_s;               /* until the end of a request's header */
    int32_t transfer_s;             /* for a body to arrive, and for an answer to be sent */
    int32_t min_upload_rate;        /* of a body, in bytes per second; 0: none */
    const char *data;               /* folder of jobs and unfinished uploads; NULL: none */
    const char
        *cluster; /* the store that several servers share: CLUSTER_FOLDER or CLUSTER_S3 and a place; NULL: none */
    int32_t s3_addressing;                               /* of a store that speaks S3: an index of "path, virtual" */
    int32_t s3_once, s3_encryption;                      /* as in s3/s3.h */
    const char *s3_region, *s3_kms_key, *s3_credentials; /* of the last two NULL: not given */
    const char *nats;                                    /* servers of the queue of the cluster; NULL: there is none */
    int32_t nats_replicas;                               /* of its stream */
    const char *webhooks_text;
    host_list webhook_hosts;    /* webhooks_text, parsed */
    const char *webhook_secret; /* path of the file; NULL: no webhooks are sent */
    int32_t lease_s;            /* without a sign of life, after which others do the jobs of a server */
    const char *node;           /* first part of the id of each job */
    int32_t upload_hours;       /* a resumable upload is kept */
    int32_t jobs_max, job_s, jobs_wait_s, result_hours;
    int32_t key_jobs_max;    /* of one API key, waiting or running */
    uint64_t jobs_bytes_max; /* of inputs and results of kept jobs; 0: a share of the disk */
    uint64_t reserve_bytes;  /* of the disks of spool and data; smaller on small disks (store/space.h) */
    const char *keys;        /* path of the keys file; NULL: none, and requests need no key */
    int32_t rate_per_minute; /* of an address, without keys; 0: no limit */
    const char *proxies_text;
    proxy_list proxies;       /* proxies_text, parsed */
    const char *cors_origins; /* as origins_check; NULL: none */
    const char *spool;
    const char *user_text;
    server_user user;        /* user_text, parsed */
    int32_t sandbox;         /* of the workers: an index of "auto", "required", "off" */
    const char *worker;      /* path of the worker program */
    char *file_text;         /* of --config, or NULL; texts point into it */
    char beside[4096];       /* the default of worker */
    char data_uploads[4096]; /* the default of spool, with data */
} server_config;

#define CLUSTER_FOLDER "folder:" /* before the path of --cluster */
#define CLUSTER_S3 "s3:"         /* before the address of a bucket */

typedef enum config_outcome {
    CONFIG_RUN = 0,
    CONFIG_EXIT,  /* --help, --version or --print-config has been printed */
    CONFIG_WRONG, /* one line on stderr says what is wrong */
} config_outcome;

/* Read the command line, the environment and the file they name. Texts are borrowed from the first two, and point into
 * self, which is {0} before and is not moved afterwards. config_done frees the rest, whatever the outcome. */
config_outcome config_read(int argc, char **argv, server_config *self);
void config_done(server_config *self);

/* Move *list to its next entry. Entries are separated by commas or blanks.  returns its length; 0: there is none. */
static inline size_t config_next_entry(const char **list) {
    *list += strspn(*list, ", \t");
    return strcspn(*list, ", \t");
}

/* ---- models.c ---- */

/* Parse the value of --models: a list of NAME[:WORKERS]. NAME is a built-in network, a network of the model library, or
 * a weight file, which gets the name that `swin2sr model import` would give it. Files are not opened here. If several
 * built-in networks have a number of workers, the largest one counts for all of them.
 * errors  _INVALID; the detail names the entry. */
SWIN2SR_MUST_CHECK swin2sr_status models_parse(const char *text, served_models *ret_models, swin2sr_error *reterr);

/* ---- devices.c ---- */

/* Parse the value of --device: cpu, auto, or a list of vulkan and vulkan:N.
 * errors  _INVALID; the detail names the entry. ret_choice is untouched. */
SWIN2SR_MUST_CHECK swin2sr_status devices_parse(const char *text, device_choice *ret_choice, swin2sr_error *reterr);

/* ---- listen.c ---- */

/* Parse the value of --listen: a list of ADDR:PORT, [ADDR]:PORT or unix:PATH. Names are not resolved here.
 * errors  _INVALID; the detail names the entry. */
SWIN2SR_MUST_CHECK swin2sr_status listen_parse(const char *text, listen_list *self, swin2sr_error *reterr);

/* Add the value of one more flag to self->text.  false: it is too long. */
bool listen_append(listen_list *self, const char *text);

/* Write an address as it is given. */
void listen_write(const listen_address *self, char *ret_text, size_t size);

/* ---- proxies.c ---- */

bool address_parse(const char *text, client_address *ret_address);
void address_write(const client_address *address, char ret_text[LIMIT_ADDRESS_BYTES]); /* IPv4 without ::ffff: */
bool address_is_ipv4(const client_address *address);

/* Parse the value of --trusted-proxies: a list of addresses, networks like 10.0.0.0/8, and unix.
 * errors  _INVALID; the detail names the entry. ret_list is untouched. */
SWIN2SR_MUST_CHECK swin2sr_status proxies_parse(const char *text, proxy_list *ret_list, swin2sr_error *reterr);

/* Add an address or a network, text[0 .. length), to a list. wanted: what an entry may be, for the message. */
SWIN2SR_MUST_CHECK swin2sr_status proxies_take_network(proxy_list *list, const char *text, size_t length,
                                                       const char *wanted, swin2sr_error *reterr);
bool proxies_has(const proxy_list *list, const client_address *address);

/* ---- hosts.c ---- */

/* Parse the value of --webhook-hosts: a list of names, "*." with the end of names, addresses and networks.
 * errors  _INVALID; the detail names the entry. ret_list is untouched. The text is borrowed. */
SWIN2SR_MUST_CHECK swin2sr_status hosts_parse(const char *text, host_list *ret_list, swin2sr_error *reterr);

/* Is the host of a URL, a name in lower case or an address without brackets, in the list? */
bool hosts_have(const host_list *list, const char *host);

/* May an address that such a name has be connected to: is it public, or of a network in the list? */
bool hosts_may_reach(const host_list *list, const client_address *address);

/* ---- user.c ---- */

/* Parse the value of --user: UID:GID.  errors  _INVALID. ret_user is untouched. */
SWIN2SR_MUST_CHECK swin2sr_status user_parse(const char *text, server_user *ret_user, swin2sr_error *reterr);

/* ---- origins.c ---- */

/* Check the value of --cors-origins: "*", or a list of SCHEME://HOST[:PORT] in lower case, as browsers send it.
 * errors  _INVALID; the detail names the entry. */
SWIN2SR_MUST_CHECK swin2sr_status origins_check(const char *text, swin2sr_error *reterr);
bool origins_are_all(const char *text);                  /* "*" */
bool origins_have(const char *text, const char *origin); /* text: checked; origin: from a client */
