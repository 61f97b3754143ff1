/* SPDX-License-Identifier: Apache-2.0
 * config/config.c - the settings of swin2sr-server.
 * In: argv, SWIN2SR_* in the environment, an INI file.  Out: a complete config, or one line that says what is wrong.
 * One table defines every setting: flags, environment, file, --help and --print-config follow from it, and a test
 * compares docs/operations.md with it. Each value is taken from the first of flag, environment, file and default that
 * has one, and only that value is checked. */
#include "config/config.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/threads.h"
#include "base/error.h"
#include "base/cgroup.h"
#include "base/precision.h"
#include "config/limits.h"

typedef enum setting_kind {
    KIND_LISTEN = 0, /* listen_list */
    KIND_COUNT,      /* int32_t */
    KIND_SIZE,       /* uint64_t */
    KIND_TEXT,       /* const char * */
    KIND_MODELS,     /* const char *, parsed into models */
    KIND_PRECISION,  /* const char *, the name of a precision */
    KIND_DEVICES,    /* const char *, parsed into devices */
    KIND_NODE,       /* const char *, a valid part of an id */
    KIND_PROXIES,    /* const char *, parsed into proxies */
    KIND_USER,       /* const char *, parsed into user */
    KIND_ORIGINS,    /* const char *, "*" or origins */
    KIND_HOSTS,      /* const char *, parsed into webhook_hosts */
    KIND_CHOICE,     /* int32_t, the index of one of the words in choices */
    KIND_FILE,       /* the INI file, which cannot name itself */
    KIND_ACTION,     /* a flag without a value, and only a flag */
} setting_kind;

typedef struct setting {
    const char *name, *value, *meaning;
    const char *preset; /* the default; NULL: there is none, or it is computed as note says */
    const char *note;
    setting_kind kind;
    size_t offset; /* in server_config */
    int64_t low, high;
    int64_t unit;        /* KIND_SIZE: the field holds the value times this */
    const char *choices; /* KIND_CHOICE: words, separated by ", " */
} setting;

#define FIELD(name) offsetof(server_config, name)

/* clang-format off */
#define COUNT(name, meaning, preset, note, field, low, high) \
    {name, "N", meaning, preset, note, KIND_COUNT, FIELD(field), low, high, 1, NULL}
#define SIZE(name, meaning, preset, field, high, unit) \
    {name, "N", meaning, preset, NULL, KIND_SIZE, FIELD(field), 1, high, unit, NULL}
#define ACTION(name, meaning) \
    {name, NULL, meaning, NULL, NULL, KIND_ACTION, 0, 0, 0, 0, NULL}
#define OTHER(name, value, meaning, preset, note, kind, offset) \
    {name, value, meaning, preset, note, kind, offset, 0, 0, 0, NULL}
#define CHOICE(name, value, meaning, preset, field, choices) \
    {name, value, meaning, preset, NULL, KIND_CHOICE, FIELD(field), 0, 0, 0, choices}

static const setting settings[] = {
    OTHER("config", "FILE", "INI file with these settings, as --print-config prints it", NULL, "none", KIND_FILE, 0),
    OTHER("listen", "ADDR:PORT,...", "addresses to listen on, also [ADDR]:PORT or unix:PATH; the flag may be repeated; port 0: a free port, given in the log",
          "127.0.0.1:8080", NULL, KIND_LISTEN, FIELD(listen)),
    OTHER("metrics-listen", "ADDR:PORT,...", "addresses for /metrics, /healthz and /readyz only; then /metrics is not served on the others",
          NULL, "none", KIND_LISTEN, FIELD(metrics_listen)),
    OTHER("models", "NAME[:N],...", "networks to serve, by name or as weight files, each with N workers",
          SWIN2SR__BUILT_IN_NAMES, NULL, KIND_MODELS, FIELD(models_text)),
    COUNT("workers", "worker processes per weight file and for all built-in networks together, unless --models gives N",
          NULL, "usable cores, at most 2, or 1 if weight files are served beside other networks", workers, 1, LIMIT_WORKERS),
    COUNT("threads", "threads per worker", NULL, "cores / all workers", threads, 1, LIMIT_THREADS),
    OTHER("precision", "NAME", "arithmetic: auto (by a fixed table), fp32, bf16, int8, or fp16 (GPUs)", "auto", NULL, KIND_PRECISION, FIELD(precision)),
    OTHER("device", "NAME,...", "what computes: cpu; vulkan:N of 'swin2sr device list', a list; or auto, every GPU of the best kind. CPU workers take over where no GPU works",
          "cpu", NULL, KIND_DEVICES, FIELD(device_text)),
    SIZE("max-body-mib", "largest request body in MiB", "64", body_bytes_max, LIMIT_BODY_MAX_MIB, 1 << 20),
    SIZE("max-pixels", "largest input in pixels, width x height; the output may have 800 million", "50000000", in_pixels_max,
         LIMIT_OUT_PIXELS, 1),
    CHOICE("default-oversize", "CHOICE", "what is done with a side over 1024 pixels unless the request says: " OVERSIZE_NAMES,
           "auto", oversize, OVERSIZE_NAMES),
    COUNT("sync-limit-s", "predicted seconds of computing above which auto reduces the image of a request", "50", NULL,
          sync_limit_s, 1, LIMIT_WAIT_MAX_S),
    {"memory", "MIB", "memory of each worker in MiB; wider images are enlarged in strips", NULL,
     "four fifths of the limit of the cgroup or the machine / all workers", KIND_SIZE, FIELD(worker_memory_bytes), LIMIT_MEMORY_MIN_MIB,
     LIMIT_MEMORY_MAX_MIB, 1 << 20, NULL},
    COUNT("max-frames", "largest number of frames of an animation", "500", NULL, frames_max, 1, LIMIT_FRAMES_MAX),
    COUNT("queue", "requests that may wait for the workers of a network; further ones get 429", "64", NULL, queue_max, 0,
          LIMIT_QUEUE_MAX),
    COUNT("deadline-s", "seconds an image may take, waiting included; then 504", "300", NULL, deadline_s, 1,
          LIMIT_WAIT_MAX_S),
    COUNT("drain-delay-s", "seconds after SIGTERM in which /readyz is 503 and new work is still accepted", "0", NULL,
          drain_delay_s, 0, LIMIT_WAIT_MAX_S),
    COUNT("drain-s", "seconds to finish accepted work after that", "30", NULL, drain_s, 0, LIMIT_WAIT_MAX_S),
    COUNT("stall-s", "seconds beyond the predicted time for which a worker may make no progress; then it is replaced", "30",
          NULL, stall_s, 1, LIMIT_WAIT_MAX_S),
    COUNT("recycle", "images after which a worker is replaced by a new one; 0: never", "1000", NULL, recycle_jobs, 0,
          LIMIT_RECYCLE_MAX),
    COUNT("connections", "open connections; fewer if the limit on open files is lower", "8192", NULL, connections_max,
          1, LIMIT_CONNECTIONS_MAX),
    COUNT("client-connections", "open connections per client address; further ones are closed at once; 0: no limit",
          "6000", NULL, client_connections_max, 0, LIMIT_CONNECTIONS_MAX),
    COUNT("idle-s", "seconds a connection may be silent", "30", NULL, idle_s, 1, LIMIT_WAIT_MAX_S),
    COUNT("header-s", "seconds from the start of a connection, or its last answer, to the end of a request's header", "60",
          NULL, header_s, 1, LIMIT_WAIT_MAX_S),
    COUNT("transfer-s", "seconds a body may take to arrive, and an answer to be sent", "600", NULL, transfer_s, 1,
          LIMIT_WAIT_MAX_S),
    COUNT("min-upload-rate", "bytes per second with which a body must come, on average of 20 seconds; 0: no limit", "1024",
          NULL, min_upload_rate, 0, LIMIT_UPLOAD_RATE_MAX),
    OTHER("keys", "FILE", "API keys, as swin2sr key writes them; without it, requests need no key", NULL, "none",
          KIND_TEXT, FIELD(keys)),
    COUNT("rate", "POST requests per minute and client address; only without --keys; 0: no limit", "0", NULL,
          rate_per_minute, 0, LIMIT_RATE_MAX),
    OTHER("trusted-proxies", "NETWORK,...", "proxies whose X-Forwarded-For is used: addresses, networks like 10.0.0.0/8, unix",
          NULL, "none", KIND_PROXIES, FIELD(proxies_text)),
    OTHER("cors-origins", "ORIGIN,...", "sites whose pages may call the service from a browser; *: all", NULL, "none",
          KIND_ORIGINS, FIELD(cors_origins)),
    OTHER("data", "FOLDER", "folder for jobs and resumable uploads; without it, both are switched off", NULL, "none",
          KIND_TEXT, FIELD(data)),
    OTHER("cluster", "STORE", "do the jobs of this store together with other servers: folder:PATH, a folder that all of them have mounted, or s3:https://HOST[:PORT]/BUCKET[/PREFIX]; needs --data, a folder of this server's own",
          NULL, "none", KIND_TEXT, FIELD(cluster)),
    OTHER("s3-region", "NAME", "region of the bucket of --cluster s3:", "us-east-1", NULL, KIND_TEXT, FIELD(s3_region)),
    CHOICE("s3-addressing", "CHOICE", "where requests name the bucket: path, or virtual (in the name of the host)", "path",
           s3_addressing, "path, virtual"),
    CHOICE("s3-once", "CHOICE", "how an object is made only if there is none: condition (If-None-Match), forbid (x-oss-forbid-overwrite) or check (for stores with neither)",
           "condition", s3_once, "condition, forbid, check"),
    CHOICE("s3-encryption", "CHOICE", "encryption asked of the store: none, store (by its own key) or kms", "none", s3_encryption,
           "none, store, kms"),
    OTHER("s3-kms-key", "ID", "key of the store's key management service, with --s3-encryption kms", NULL, "the default of the bucket",
          KIND_TEXT, FIELD(s3_kms_key)),
    OTHER("s3-credentials", "FILE", "keys of the store, as the AWS command line writes them; read again when the file changes", NULL,
          "$AWS_ACCESS_KEY_ID, $AWS_SECRET_ACCESS_KEY and $AWS_SESSION_TOKEN", KIND_TEXT, FIELD(s3_credentials)),
    COUNT("lease-s", "seconds without a sign of life after which the jobs of a server of --cluster are done by others", "30", NULL,
          lease_s, 1, LIMIT_LEASE_MAX_S),
    OTHER("nats", "URL,...", "servers of NATS with JetStream, nats://HOST:PORT, which tell the servers of --cluster at once that a job waits",
          NULL, "none", KIND_TEXT, FIELD(nats)),
    COUNT("nats-replicas", "copies of what these servers store, if it is not there yet", "3", NULL, nats_replicas, 1, 5),
    OTHER("webhook-hosts", "HOST,...", "hosts that may be told when a job has ended: NAME, *.NAME, ADDRESS or ADDRESS/BITS; private addresses only where an entry has them",
          NULL, "none", KIND_HOSTS, FIELD(webhooks_text)),
    OTHER("webhook-secret", "FILE", "secrets that sign what they are told: up to four lines of whsec_BASE64; read again before each use", NULL, "none",
          KIND_TEXT, FIELD(webhook_secret)),
    OTHER("node", "NAME", "first part of the id of each job, different on each server", "n1", NULL, KIND_NODE, FIELD(node)),
    COUNT("upload-hours", "hours a resumable upload is kept", "24", NULL, upload_hours, 1, LIMIT_UPLOAD_HOURS_MAX),
    COUNT("jobs", "jobs that may wait or run; further ones get 429", "1000", NULL, jobs_max, 1, LIMIT_JOBS_MAX),
    COUNT("jobs-per-key", "jobs of one API key that may wait or run; further ones get 429", NULL, "a quarter of --jobs", key_jobs_max,
          1, LIMIT_JOBS_MAX),
    COUNT("job-s", "seconds a job may take, from when it is the next to get a worker", "3600", NULL, job_s, 1,
          LIMIT_WAIT_MAX_S),
    COUNT("jobs-wait-s", "predicted seconds that a new job of --cluster may wait, by the jobs of all its servers; further ones get 429", "86400",
          NULL, jobs_wait_s, 1, LIMIT_WAIT_MAX_S * 10),
    COUNT("result-hours", "hours a finished job and its result are kept", "24", NULL, result_hours, 1, 24 * 365),
    {"jobs-mib", "N", "MiB that inputs and results of kept jobs may take; further jobs get 507; 0: half of the disk of --data", "0",
     NULL, KIND_SIZE, FIELD(jobs_bytes_max), 0, LIMIT_JOBS_MAX_MIB, 1 << 20, NULL},
    OTHER("spool", "FOLDER", "folder for uploads and results, as files without names", NULL,
          "uploads/ in --data, else $TMPDIR, else /tmp", KIND_TEXT, FIELD(spool)),
    {"disk-reserve-mib", "N", "MiB that uploads and new jobs leave free on the disks of --spool and --data, at most a quarter of each; then 507",
     "256", NULL, KIND_SIZE, FIELD(reserve_bytes), 0, LIMIT_RESERVE_MAX_MIB, 1 << 20, NULL},
    OTHER("user", "UID:GID", "the user that the server becomes for good if it is started as root; uploads/ and outputs/ in --data are given to it",
          NULL, "none", KIND_USER, FIELD(user_text)),
    CHOICE("log-level", "LEVEL", "lowest level of events that are logged: debug, info, warn or error", "info", log_level,
           "debug, info, warn, error"),
    CHOICE("log-client", "ANSWER", "log the client's address with each request: yes or no", "no", is_log_client, "no, yes"),
    OTHER("worker", "PATH", "the worker program", NULL, "swin2sr-worker beside this program", KIND_TEXT, FIELD(worker)),
    CHOICE("sandbox", "MODE", "lock workers before they take an image: auto (with what the kernel has), required (they need seccomp and landlock) or off",
           "auto", sandbox, "auto, required, off"),
    ACTION("print-config", "print all settings as an INI file, with the source of each value"),
    ACTION("version", "print the version"),
    ACTION("help", "print this text"),
};
/* clang-format on */

#define SETTING_COUNT (sizeof settings / sizeof settings[0])
#define PLACE_BYTES 40

/* The value given for a setting, and where it was given. */
typedef struct given {
    const char *text;       /* NULL: nothing yet */
    const char *place;      /* name, or the path of the file */
    char name[PLACE_BYTES]; /* of the flag or the variable */
    bool is_in_file;
} given;

static size_t find(const char *name) {
    size_t i = 0;
    while (i < SETTING_COUNT && strcmp(settings[i].name, name) != 0)
        i++;
    return i;
}

static config_outcome wrong(const char *format, ...) __attribute__((format(printf, 1, 2)));
static config_outcome wrong(const char *format, ...) {
    va_list values;
    va_start(values, format);
    fputs("swin2sr-server: ", stderr);
    vfprintf(stderr, format, values);
    fputc('\n', stderr);
    va_end(values);
    return CONFIG_WRONG;
}

/* ---- values ---- */

static bool parse_number(const char *text, int64_t low, int64_t high, int64_t *ret_value) {
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (errno || end == text || *end || value < low || value > high)
        return false;
    *ret_value = value;
    return true;
}

static bool is_node(const char *text) {
    size_t length = strlen(text);
    return length < LIMIT_NODE_BYTES && strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789") == length;
}

/* Set a number.  false: it is not one, or out of range. */
static bool set_number(const setting *row, const char *text, void *field) {
    int64_t value;
    if (!parse_number(text, row->low, row->high, &value))
        return false;
    if (row->kind == KIND_COUNT)
        *(int32_t *)field = (int32_t)value;
    else
        *(uint64_t *)field = (uint64_t)value * (uint64_t)row->unit;
    return true;
}

/* The index of a word in a list of them; -1: it is none. */
static int32_t choice_index(const char *choices, const char *word) {
    size_t length = strlen(word);
    for (int32_t index = 0; choices; index++) {
        if (strcspn(choices, ",") == length && strncmp(choices, word, length) == 0)
            return index;
        choices = strchr(choices, ',');
        choices += choices ? 2 : 0;
    }
    return -1;
}

static swin2sr_status set_choice(const setting *row, const char *text, int32_t *field, swin2sr_error *reterr) {
    int32_t index = choice_index(row->choices, text);
    if (index < 0)
        return swin2sr__error_set(reterr, SWIN2SR_INVALID, "must be one of %s", row->choices);
    *field = index;
    return SWIN2SR_OK;
}

static swin2sr_status set(server_config *c, const setting *row, const char *text, swin2sr_error *reterr) {
    void *field = (char *)c + row->offset;
    if (row->kind == KIND_LISTEN)
        return listen_parse(text, field, reterr);
    if (row->kind == KIND_COUNT || row->kind == KIND_SIZE)
        return set_number(row, text, field)
                   ? SWIN2SR_OK
                   : swin2sr__error_set(reterr, SWIN2SR_INVALID, "must be a whole number in %lld..%lld",
                                        (long long)row->low, (long long)row->high);
    if (row->kind == KIND_PRECISION && swin2sr__precision_find(text) < 0)
        return swin2sr__error_set(reterr, SWIN2SR_INVALID, "must be one of auto, fp32, bf16, int8");
    if (row->kind == KIND_NODE && !is_node(text))
        return swin2sr__error_set(reterr, SWIN2SR_INVALID, "must be 1 to 16 lower-case letters and digits");
    if (row->kind == KIND_ORIGINS && origins_check(text, reterr) != SWIN2SR_OK)
        return SWIN2SR_INVALID;
    if (row->kind == KIND_CHOICE)
        return set_choice(row, text, field, reterr);
    if (row->kind < KIND_FILE)
        *(const char **)field = text;
    if (row->kind == KIND_DEVICES)
        return devices_parse(text, &c->devices, reterr);
    if (row->kind == KIND_PROXIES)
        return proxies_parse(text, &c->proxies, reterr);
    if (row->kind == KIND_HOSTS)
        return hosts_parse(text, &c->webhook_hosts, reterr);
    if (row->kind == KIND_USER)
        return user_parse(text, &c->user, reterr);
    return row->kind == KIND_MODELS ? models_parse(text, &c->models, reterr) : SWIN2SR_OK;
}

/* ---- the file ---- */

/* The text without the blanks around it, which are overwritten. */
static char *trimmed(char *text) {
    char *begin = text + strspn(text, " \t"), *end = begin + strlen(begin);
    while (end > begin && isspace((unsigned char)end[-1]))
        *--end = '\0';
    return begin;
}

/* Read "name = value". false: the line has another form, the file may not set this name, or has set it before. */
static bool take_entry(char *line, const char *path, given *ret_given) {
    const char *name = trimmed(strsep(&line, "="));
    size_t index = find(name);
    if (!line || index == SETTING_COUNT || settings[index].kind >= KIND_FILE || ret_given[index].is_in_file)
        return false;
    const char *text = trimmed(line);
    given *row = &ret_given[index];
    row->is_in_file = *text;
    if (*text && !row->text) {
        row->text = text;
        row->place = path;
    }
    return true;
}

/* The whole file as text, which config_done frees.  returns NULL, or what is wrong. */
static const char *load(const char *path, char **ret_text) {
    FILE *file = fopen(path, "re");
    if (!file)
        return strerror(errno);
    char *text = *ret_text = calloc(1, LIMIT_CONFIG_BYTES + 2);
    size_t size = text ? fread(text, 1, LIMIT_CONFIG_BYTES + 1, file) : 0;
    const char *fault = !text || ferror(file) ? strerror(errno)
                        : size > LIMIT_CONFIG_BYTES || strlen(text) < size
                            ? "must be a text file of at most 65536 bytes"
                            : NULL;
    fclose(file);
    return fault;
}

static config_outcome read_file(server_config *c, const char *path, given *ret_given) {
    const char *fault = load(path, &c->file_text);
    if (fault)
        return wrong("%s: %s", path, fault);
    int number = 1;
    for (char *rest = c->file_text; rest; number++) {
        char *line = trimmed(strsep(&rest, "\n"));
        bool is_entry = *line && !strchr("#;", *line) && strcmp(line, "[server]") != 0;
        if (is_entry && !take_entry(line, path, ret_given))
            return wrong("%s: line %d: must be 'NAME = VALUE', with the name of a setting, once", path, number);
    }
    return CONFIG_RUN;
}

/* ---- flags and environment ---- */

/* Of a flag given twice the last counts, except for addresses, which add up.  returns NULL: they are too long. */
static const char *text_of_flag(server_config *c, const setting *row, const char *text) {
    listen_list *list = row->kind == KIND_LISTEN ? (listen_list *)((char *)c + row->offset) : NULL;
    if (!list)
        return text;
    return listen_append(list, text) ? list->text : NULL;
}

/* false: a flag is wrong, and a line on stderr names it. ret_action: index of the first action, or SETTING_COUNT. */
static bool read_flags(int argc, char **argv, server_config *c, given *ret_given, size_t *ret_action) {
    struct option options[SETTING_COUNT + 1] = {{NULL}};
    for (size_t i = 0; i < SETTING_COUNT; i++)
        options[i] =
            (struct option){settings[i].name, settings[i].value ? required_argument : no_argument, NULL, (int)i};
    *ret_action = SETTING_COUNT;
    for (int which; (which = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (which < 0 || (size_t)which >= SETTING_COUNT)
            return false;
        if (settings[which].kind == KIND_ACTION && *ret_action == SETTING_COUNT)
            *ret_action = (size_t)which;
        given *row = &ret_given[which];
        row->text = settings[which].value ? text_of_flag(c, &settings[which], optarg) : optarg;
        row->place = row->name;
        snprintf(row->name, sizeof row->name, "--%s", settings[which].name);
        if (settings[which].value && !row->text)
            return wrong("%s: must have at most %u bytes", row->name, LIMIT_LISTEN_BYTES - 1) == CONFIG_RUN;
    }
    if (optind < argc)
        wrong("%s: not an option", argv[optind]);
    return optind == argc;
}

/* An empty variable counts as not set. */
static void read_environment(given *ret_given) {
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        given *row = &ret_given[i];
        if (row->text || settings[i].kind == KIND_ACTION)
            continue;
        /* SWIN2SR_MODELS is the folder of the model library */
        const char *served = settings[i].kind == KIND_MODELS ? "SERVED_" : "";
        snprintf(row->name, sizeof row->name, "SWIN2SR_%s%s", served, settings[i].name);
        for (char *at = row->name; *at; at++)
            *at = *at == '-' ? '_' : (char)toupper((unsigned char)*at);
        const char *text = getenv(row->name);
        if (text && *text) {
            row->text = text;
            row->place = row->name;
        }
    }
}

/* ---- defaults that depend on the machine ---- */

static config_outcome set_workers(server_config *c) {
    int cores = swin2sr__cores_usable();
    if (c->workers == 0)
        c->workers = cores < 2 || c->models.pool_count > 1 ? 1 : 2;
    bool has_built_in = false;
    for (int32_t i = 0; i < c->models.count; i++) {
        served_model *model = &c->models.rows[i];
        model->workers = model->workers ? model->workers : c->workers;
        c->worker_count += model->path[0] || !has_built_in ? model->workers : 0;
        has_built_in |= !model->path[0];
    }
    if (c->worker_count > LIMIT_WORKERS)
        return wrong("models: %d workers in all, and there may be %d", (int)c->worker_count, LIMIT_WORKERS);
    if (c->threads == 0)
        c->threads = cores / c->worker_count < 1 ? 1 : cores / c->worker_count;
    if (c->threads > LIMIT_THREADS)
        c->threads = LIMIT_THREADS;
    return CONFIG_RUN;
}

/* The share of each worker, less a fifth for what is not predicted, in whole MiB. */
static void set_memory(server_config *c) {
    uint64_t share_mib = (swin2sr__cgroup_memory_bytes("") >> 20) / (uint64_t)c->worker_count * 4 / 5;
    share_mib = share_mib < LIMIT_MEMORY_MIN_MIB ? LIMIT_MEMORY_MIN_MIB : share_mib;
    if (c->worker_memory_bytes == 0)
        c->worker_memory_bytes = (share_mib < LIMIT_MEMORY_MAX_MIB ? share_mib : LIMIT_MEMORY_MAX_MIB) << 20;
}

static config_outcome set_computed(server_config *c) {
    static const char worker[] = "swin2sr-worker";
    const char *folder = getenv("TMPDIR");
    if (c->cluster && strncmp(c->cluster, CLUSTER_FOLDER "/", strlen(CLUSTER_FOLDER "/")) != 0 &&
        strncmp(c->cluster, CLUSTER_S3 "http", strlen(CLUSTER_S3 "http")) != 0)
        return wrong("cluster: must be " CLUSTER_FOLDER "/PATH or " CLUSTER_S3 "https://HOST[:PORT]/BUCKET[/PREFIX]");
    if (c->cluster && !c->data)
        return wrong("cluster: needs --data FOLDER, for what belongs to this server alone");
    if (c->nats && !c->cluster)
        return wrong("nats: needs --cluster STORE");
    if (c->webhooks_text && (!c->data || !c->webhook_secret))
        return wrong("webhook-hosts: needs %s", c->data ? "--webhook-secret FILE" : "--data FOLDER, for jobs");
    if (!c->spool && c->data) {
        if ((size_t)snprintf(c->data_uploads, sizeof c->data_uploads, "%s/uploads", c->data) >= sizeof c->data_uploads)
            return wrong("data: the path is too long");
        c->spool = c->data_uploads;
    }
    if (!c->spool)
        c->spool = folder && *folder ? folder : "/tmp";
    if (!c->worker) {
        if (readlink("/proc/self/exe", c->beside, sizeof c->beside - sizeof worker) <= 0)
            return wrong("--worker: cannot find the folder of this program; name the worker program");
        memcpy(strrchr(c->beside, '/') + 1, worker, sizeof worker);
        c->worker = c->beside;
    }
    if (set_workers(c) != CONFIG_RUN)
        return CONFIG_WRONG;
    set_memory(c);
    if (c->key_jobs_max == 0)
        c->key_jobs_max = c->jobs_max < 4 ? 1 : c->jobs_max / 4;
    return CONFIG_RUN;
}

/* ---- what is printed ---- */

static void print_help(void) {
    printf("Usage: swin2sr-server [OPTION]...\n"
           "Image super-resolution over HTTP: POST /upscale, and a page at /.\n\n");
    for (const setting *row = settings; row < settings + SETTING_COUNT; row++) {
        char left[40], range[64] = "";
        const char *preset = row->preset ? row->preset : row->note;
        snprintf(left, sizeof left, "--%s%s%s", row->name, row->value ? " " : "", row->value ? row->value : "");
        if (row->high)
            snprintf(range, sizeof range, "; %lld..%lld", (long long)row->low, (long long)row->high);
        printf("  %-22s %s%s%s%s%s\n", left, row->meaning, preset ? " (" : "", preset ? preset : "", range,
               preset ? ")" : "");
    }
    printf(
        "\nA setting is taken from the flag, else from the environment (--max-pixels: SWIN2SR_MAX_PIXELS;\n"
        "--models: SWIN2SR_SERVED_MODELS), else from the file of --config (max-pixels = N), else it is the default,\n"
        "which is shown in parentheses before the range.\n"
        "Logs are JSON lines on stdout. SIGTERM, SIGINT or SIGQUIT finishes the accepted work and exits; a second\n"
        "one of these exits at once. SIGHUP reads the file of --keys again.\n"
        "Exit codes: 0 done, 1 cannot run or work was left unfinished, 2 wrong usage.\n");
}

static void print_listen(const char *name, const listen_list *list) {
    printf("%s%s =", list->count ? "" : "# ", name);
    for (int32_t i = 0; i < list->count; i++) {
        char text[LIMIT_LISTEN_BYTES];
        listen_write(&list->rows[i], text, sizeof text);
        printf("%s%s", i ? "," : " ", text);
    }
    printf("\n");
}

static void print_choice(const char *name, const char *choices, int32_t index) {
    while (index-- > 0)
        choices = strchr(choices, ',') + 2;
    printf("%s = %.*s\n", name, (int)strcspn(choices, ","), choices);
}

static void print_value(const server_config *c, const setting *row) {
    const void *field = (const char *)c + row->offset;
    if (row->kind == KIND_LISTEN)
        print_listen(row->name, field);
    else if (row->kind == KIND_CHOICE)
        print_choice(row->name, row->choices, *(const int32_t *)field);
    else if (row->kind == KIND_COUNT)
        printf("%s = %lld\n", row->name, (long long)*(const int32_t *)field);
    else if (row->kind == KIND_SIZE)
        printf("%s = %lld\n", row->name, (long long)*(const uint64_t *)field / row->unit);
    else if (*(const char *const *)field)
        printf("%s = %s\n", row->name, *(const char *const *)field);
    else
        printf("# %s =\n", row->name);
}

static void print_config(const server_config *c, const given *from) {
    printf("[server]\n");
    for (size_t i = 0; i < SETTING_COUNT; i++)
        if (settings[i].kind < KIND_FILE) {
            const char *note = settings[i].note ? settings[i].note : "default";
            printf("\n# %s [%s]\n", settings[i].meaning, from[i].place ? from[i].place : note);
            print_value(c, &settings[i]);
        }
}

/* ---- all together ---- */

static config_outcome set_all(server_config *c, const given *from) {
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        const setting *row = &settings[i];
        const char *text = from[i].text ? from[i].text : row->preset;
        swin2sr_error error = {""};
        if (!text || set(c, row, text, &error) == SWIN2SR_OK)
            continue;
        bool is_in_file = from[i].place && from[i].place != from[i].name;
        /* the error names the entry of a list */
        bool is_list = row->kind == KIND_MODELS || row->kind == KIND_LISTEN || row->kind == KIND_PROXIES ||
                       row->kind == KIND_ORIGINS || row->kind == KIND_DEVICES || row->kind == KIND_HOSTS;
        const char *value = is_list ? "" : text;
        return wrong("%s%s%s%s%.100s: %s", from[i].place ? from[i].place : "default", is_in_file ? ": " : "",
                     is_in_file ? row->name : "", *value ? " " : "", value, error.text);
    }
    return set_computed(c);
}

config_outcome config_read(int argc, char **argv, server_config *self) {
    given from[SETTING_COUNT] = {{NULL}};
    size_t action, file = find("config");
    if (!read_flags(argc, argv, self, from, &action))
        return CONFIG_WRONG;
    if (action == find("help") || action == find("version")) {
        action == find("help") ? print_help() : (void)printf("swin2sr-server %s\n", SWIN2SR_VERSION);
        return CONFIG_EXIT;
    }
    read_environment(from);
    config_outcome outcome = from[file].text ? read_file(self, from[file].text, from) : CONFIG_RUN;
    if (outcome == CONFIG_RUN)
        outcome = set_all(self, from);
    if (outcome != CONFIG_RUN || action != find("print-config"))
        return outcome;
    print_config(self, from);
    return CONFIG_EXIT;
}

void config_done(server_config *self) {
    free(self->file_text);
}
