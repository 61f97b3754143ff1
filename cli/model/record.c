/* SPDX-License-Identifier: Apache-2.0
 * cli/model/record.c - hashes and headers of network files. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/new_file.h"
#include "base/printable.h"
#include "base/sha256.h"
#include "library/library.h"
#include "model/config.h"
#include "model/tensors.h"
#include "model/source.h"
#include "record.h"

swin2sr_status record_hash_file(const char *path, char ret_hex[65], swin2sr_error *reterr) {
    swin2sr__source file;
    swin2sr_status status = swin2sr__source_open(path, &file, reterr);
    if (status != SWIN2SR_OK)
        return status;
    swin2sr__sha256_hex(file.data, file.size, ret_hex);
    swin2sr__source_close(&file);
    return SWIN2SR_OK;
}

bool record_parse_hex(const char *text, char ret_hex[65]) {
    if (strlen(text) != 64 || strspn(text, "0123456789abcdefABCDEF") != 64)
        return false;
    for (int i = 0; i < 65; i++)
        ret_hex[i] = text[i] >= 'A' && text[i] <= 'F' ? (char)(text[i] - 'A' + 'a') : text[i];
    return true;
}

swin2sr_status record_write(const char *name, const char hex[65], swin2sr_error *reterr) {
    char path[LIBRARY_MAX_PATH], line[64 + 2 + LIBRARY_MAX_NAME + sizeof(LIBRARY_ENDING) + 1];
    swin2sr__new_file file;
    swin2sr_status status = library_path(name, RECORD_ENDING, path, sizeof(path), reterr);
    if (status == SWIN2SR_OK)
        status = swin2sr__new_file_open(path, NULL, &file, reterr);
    if (status != SWIN2SR_OK)
        return status;
    snprintf(line, sizeof(line), "%s  %s" LIBRARY_ENDING "\n", hex, name);
    if (write(file.fd, line, strlen(line)) == (ssize_t)strlen(line))
        status = swin2sr__new_file_commit(&file, reterr);
    else
        status = swin2sr__error_set_errno(reterr, path);
    swin2sr__new_file_done(&file);
    return status;
}

bool record_read(const char *name, char ret_hex[65]) {
    char path[LIBRARY_MAX_PATH], hex[66] = "";
    if (library_path(name, RECORD_ENDING, path, sizeof(path), NULL) != SWIN2SR_OK)
        return false;
    FILE *file = fopen(path, "re");
    bool is_read = file && fscanf(file, "%65s", hex) == 1 && record_parse_hex(hex, ret_hex);
    if (file)
        fclose(file);
    return is_read;
}

static void copy_text(const swin2sr__tensors *file, const char *key, char *text, size_t size) {
    const char *value = swin2sr__tensors_metadata(file, key);
    value = value ? value : "";
    swin2sr__printable_copy(value, strlen(value), text, size);
}

static void fill_facts(const swin2sr__tensors *file, model_facts *facts) {
    swin2sr__config config;
    const char *text = swin2sr__tensors_metadata(file, "config");
    *facts = (model_facts){0};
    if (text && swin2sr__config_parse(text, &config, NULL) == SWIN2SR_OK)
        facts->scale = config.scale;
    copy_text(file, "license", facts->license, sizeof(facts->license));
    copy_text(file, "source", facts->source, sizeof(facts->source));
    copy_text(file, "sha256", facts->original_sha256, sizeof(facts->original_sha256));
}

swin2sr_status model_facts_read(const char *path, model_facts *ret_facts, swin2sr_error *reterr) {
    swin2sr__source source;
    swin2sr__tensors file;
    swin2sr_status status = swin2sr__source_open(path, &source, reterr);
    if (status != SWIN2SR_OK)
        return status;
    status = swin2sr__safetensors_init(source.data, source.size, &file, reterr);
    if (status == SWIN2SR_OK) {
        fill_facts(&file, ret_facts);
        swin2sr__tensors_done(&file);
    }
    swin2sr__source_close(&source);
    return status;
}
