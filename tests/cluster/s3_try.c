/* SPDX-License-Identifier: Apache-2.0
 * tests/cluster/s3_try.c - one call of server/s3/s3.h from the command line, for the tests against real stores.
 * usage: s3_try SETTING=VALUE... CALL ARGUMENT...
 *   put KEY FILE [new]   write KEY TEXT [new]   read KEY   get KEY FILE [MAX]   range KEY FIRST COUNT FILE
 *   head KEY   list START [MAX]   remove KEY
 * Prints one line of JSON: the status, the detail of a failure, and what was read. */
#include <fcntl.h>
#include <jansson.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "s3/s3.h"

static json_t *result;
static long most;

static bool set(s3_settings *settings, const char *name, const char *value) {
    if (strcmp(name, "endpoint") == 0)
        settings->endpoint = value;
    else if (strcmp(name, "bucket") == 0)
        settings->bucket = value;
    else if (strcmp(name, "prefix") == 0)
        settings->prefix = value;
    else if (strcmp(name, "region") == 0)
        settings->region = value;
    else if (strcmp(name, "virtual") == 0)
        settings->is_virtual = atoi(value);
    else if (strcmp(name, "once") == 0)
        settings->once = (s3_once)atoi(value);
    else if (strcmp(name, "encryption") == 0)
        settings->encryption = (s3_encryption)atoi(value);
    else if (strcmp(name, "kms_key") == 0)
        settings->kms_key = value;
    else if (strcmp(name, "credentials") == 0)
        settings->credentials = value;
    else if (strcmp(name, "request_s") == 0)
        settings->request_s = (uint32_t)atoi(value);
    else if (strcmp(name, "part_bytes") == 0)
        settings->part_bytes = strtoull(value, NULL, 10);
    else
        return false;
    return true;
}

static bool visit(void *context, const s3_entry *entry) {
    json_array_append_new(context,
                          json_pack("{s:s, s:I, s:I, s:s}", "key", entry->key, "bytes", (json_int_t)entry->bytes,
                                    "modified_s", (json_int_t)entry->modified_s, "etag", entry->etag));
    return --most > 0;
}

static void show(const s3_object *object) {
    json_object_set_new(result, "bytes", json_integer((json_int_t)object->bytes));
    json_object_set_new(result, "sha256", json_string(object->sha256));
    json_object_set_new(result, "writer", json_string(object->writer));
}

static swin2sr_status put_file(s3_client *client, char **words, bool is_new, swin2sr_error *error) {
    struct stat info;
    int fd = open(words[2], O_RDONLY);
    if (fd < 0 || fstat(fd, &info) != 0)
        return SWIN2SR_INTERNAL;
    return s3_put(client, words[1], fd, (uint64_t)info.st_size, is_new, error);
}

static swin2sr_status get_file(s3_client *client, char **words, int count, swin2sr_error *error) {
    bool is_range = strcmp(words[0], "range") == 0;
    s3_object object = {.bytes = 0};
    int fd = open(words[is_range ? 4 : 2], O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (is_range)
        return s3_get_range(client, words[1], strtoull(words[2], NULL, 10), strtoull(words[3], NULL, 10), fd, error);
    swin2sr_status status =
        s3_get(client, words[1], fd, count > 3 ? strtoull(words[3], NULL, 10) : 1ull << 40, &object, error);
    show(&object);
    return status;
}

static swin2sr_status call(s3_client *client, char **words, int count, swin2sr_error *error) {
    s3_object object = {.bytes = 0};
    char *text = NULL;
    size_t size = 0;
    swin2sr_status status;
    if (strcmp(words[0], "put") == 0)
        return put_file(client, words, count > 3, error);
    if (strcmp(words[0], "write") == 0)
        return s3_write(client, words[1], words[2], strlen(words[2]), count > 3, error);
    if (strcmp(words[0], "get") == 0 || strcmp(words[0], "range") == 0)
        return get_file(client, words, count, error);
    if (strcmp(words[0], "remove") == 0)
        return s3_remove(client, words[1], error);
    if (strcmp(words[0], "head") == 0) {
        status = s3_head(client, words[1], &object, error);
        show(&object);
        return status;
    }
    if (strcmp(words[0], "read") == 0) {
        status = s3_read(client, words[1], 1 << 20, &text, &size, error);
        json_object_set_new(result, "text", json_stringn(text ? text : "", size));
        free(text);
        return status;
    }
    json_t *entries = json_array();
    json_object_set_new(result, "entries", entries);
    most = count > 2 ? atol(words[2]) : 1000000;
    return s3_list(client, words[1], visit, entries, error);
}

/* The most memory that this program had, in KiB. */
static long peak_kib(void) {
    char line[256];
    long peak = 0;
    FILE *file = fopen("/proc/self/status", "r");
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, "VmHWM:", 6) == 0)
            peak = atol(line + 6);
    if (file)
        fclose(file);
    return peak;
}

/* SIGUSR1 interrupts the call. */
static void *wait_for_signal(void *context) {
    sigset_t set;
    int which;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigwait(&set, &which);
    s3_interrupt(context);
    return NULL;
}

int main(int argc, char **argv) {
    s3_settings settings = {.endpoint = ""};
    s3_client *client = NULL;
    swin2sr_error error = {""};
    sigset_t blocked;
    pthread_t waiter;
    int first = 1;
    for (char *value; first < argc && (value = strchr(argv[first], '=')); first++) {
        *value = '\0';
        if (!set(&settings, argv[first], value + 1))
            return 2;
    }
    if (argc - first < 2)
        return 2;
    result = json_object();
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &blocked, NULL);
    swin2sr_status status = s3_open(&settings, &client, &error);
    if (status == SWIN2SR_OK && pthread_create(&waiter, NULL, wait_for_signal, client) == 0) {
        status = call(client, argv + first, argc - first, &error);
        pthread_kill(waiter, SIGUSR1);
        pthread_join(waiter, NULL);
    }
    s3_close(client);
    json_object_set_new(result, "status", json_string(swin2sr_status_name(status)));
    json_object_set_new(result, "detail", json_string(error.text));
    json_object_set_new(result, "peak_kib", json_integer(peak_kib()));
    json_dumpf(result, stdout, JSON_COMPACT);
    json_decref(result);
    puts("");
    return 0;
}
