/* SPDX-License-Identifier: Apache-2.0
 * model/checkpoint.c - the tensors of a checkpoint as torch.save writes it (.pth, .pt, pytorch_model.bin).
 * The format: a zip file with the stored entries FOLDER/data.pkl, a pickle of the state dict, and FOLDER/data/KEY, the
 * bytes of each storage; FOLDER/byteorder may say "little". The state dict is the value of params_ema, params or
 * state_dict in the pickle, else the whole pickle.
 * In: bytes, untrusted until checked.  Out: tensors that lie inside their storages and together are no larger than the
 * file; names, and bytes that were not in row-major order, are in one arena. A first walk over the state dict checks
 * and counts, a second one copies. */
#include <stdlib.h>
#include <string.h>

#include "base/checked_math.h"
#include "base/error.h"
#include "model/pickle.h"
#include "model/tensors.h"
#include "model/zip.h"

#define PICKLE_NAME "data.pkl"
#define MAX_KEY_BYTES 64 /* of a storage; it is a small number as text */

typedef swin2sr__pickle_value value;

typedef struct reader {
    swin2sr__zip zip;
    swin2sr__pickle pickle;
    const char *folder; /* what precedes data.pkl in the names of the zip file, not terminated */
    size_t folder_bytes;
    size_t bytes_left; /* that the remaining tensors may have, so that all together are no larger than the file */
    swin2sr_error *reterr;
} reader;

/* A tensor as the pickle describes it. */
typedef struct view {
    const unsigned char *storage;
    size_t storage_bytes, element_bytes;
    size_t offset; /* elements */
    size_t strides[SWIN2SR__MAX_RANK];
} view;

bool swin2sr__checkpoint_is_one(const void *data, size_t size) {
    const unsigned char *bytes = data;
    if (size < 8)
        return false;
    bool is_zip = memcmp(bytes, "PK\3\4", 4) == 0 || memcmp(bytes, "PK\5\6", 4) == 0;
    bool is_pickle = bytes[0] == 0x80 && bytes[1] >= 2 && bytes[1] <= 5 && bytes[7]; /* the length of a safetensors
                                                                                        header has no eighth byte */
    return is_zip || is_pickle;
}

/* The entry FOLDER/name; NULL if there is none. */
static swin2sr__zip_entry *find_entry(const reader *in, const char *name, size_t name_bytes) {
    char full[SWIN2SR__MAX_ZIP_NAME_BYTES + MAX_KEY_BYTES + 16];
    memcpy(full, in->folder, in->folder_bytes);
    memcpy(full + in->folder_bytes, name, name_bytes);
    return swin2sr__zip_find(&in->zip, full, in->folder_bytes + name_bytes);
}

/* FOLDER/data.pkl, of which there must be exactly one. */
static swin2sr_status find_pickle(reader *in, swin2sr__zip_entry **ret_entry) {
    size_t end_bytes = strlen(PICKLE_NAME);
    swin2sr__zip_entry *found = NULL;
    for (size_t i = 0; i < in->zip.entry_count; i++) {
        swin2sr__zip_entry *entry = &in->zip.entries[i];
        size_t folder_bytes = entry->name_bytes - end_bytes;
        if (entry->name_bytes <= end_bytes || memcmp(entry->name + folder_bytes, PICKLE_NAME, end_bytes) != 0 ||
            memchr(entry->name, '/', entry->name_bytes) != entry->name + folder_bytes - 1)
            continue;
        if (found)
            return swin2sr__error_set(in->reterr, SWIN2SR_MODEL, "the zip file holds two %s", PICKLE_NAME);
        found = entry;
        in->folder = entry->name;
        in->folder_bytes = folder_bytes;
    }
    if (!found)
        return swin2sr__error_set(in->reterr, SWIN2SR_MODEL, "a zip file, but not a PyTorch checkpoint: it has no %s",
                                  PICKLE_NAME);
    *ret_entry = found;
    return SWIN2SR_OK;
}

static swin2sr_status check_byte_order(const reader *in) {
    static const char name[] = "byteorder", little[] = "little";
    const swin2sr__zip_entry *entry = find_entry(in, name, strlen(name));
    if (entry && (entry->bytes != strlen(little) || memcmp(entry->data, little, strlen(little)) != 0))
        return swin2sr__error_set(in->reterr, SWIN2SR_MODEL, "the checkpoint's byte order is not little-endian");
    return SWIN2SR_OK;
}

/* The bytes of a storage, from its persistent id: ("storage", type, key, location, count). */
static swin2sr_status find_storage(const reader *in, const value *storage, swin2sr__tensor *tensor, view *ret_view) {
    static const struct {
        const char *name;
        swin2sr__dtype dtype;
        size_t bytes;
    } types[] = {{"Float", SWIN2SR__DTYPE_F32, 4},     {"Half", SWIN2SR__DTYPE_F16, 2},
                 {"BFloat16", SWIN2SR__DTYPE_BF16, 2}, {"Double", SWIN2SR__DTYPE_OTHER, 8},
                 {"Long", SWIN2SR__DTYPE_OTHER, 8},    {"Int", SWIN2SR__DTYPE_OTHER, 4},
                 {"Short", SWIN2SR__DTYPE_OTHER, 2},   {"Char", SWIN2SR__DTYPE_OTHER, 1},
                 {"Byte", SWIN2SR__DTYPE_OTHER, 1},    {"Bool", SWIN2SR__DTYPE_OTHER, 1}};
    const value *id = storage && storage->kind == SWIN2SR__PICKLE_STORAGE ? &in->pickle.values[storage->tuple] : NULL;
    const value *parts[5] = {NULL};
    for (uint32_t i = 0; id && i < 5; i++)
        parts[i] = swin2sr__pickle_element(&in->pickle, id, i);
    if (!parts[4] || !swin2sr__pickle_is_text(parts[0], "storage") || parts[1]->kind != SWIN2SR__PICKLE_STORAGE_TYPE ||
        parts[2]->kind != SWIN2SR__PICKLE_TEXT || parts[2]->text_bytes > MAX_KEY_BYTES ||
        parts[4]->kind != SWIN2SR__PICKLE_INTEGER)
        return swin2sr__error_set(in->reterr, SWIN2SR_MODEL, "tensor %s has no valid storage", tensor->name);
    size_t type = 0;
    while (strncmp(types[type].name, parts[1]->text, parts[1]->text_bytes) != 0 ||
           types[type].name[parts[1]->text_bytes])
        type++; /* pickle.c accepts only these types */
    char name[MAX_KEY_BYTES + 16] = "data/";
    memcpy(name + strlen("data/"), parts[2]->text, parts[2]->text_bytes);
    swin2sr__zip_entry *entry = find_entry(in, name, strlen("data/") + parts[2]->text_bytes);
    size_t bytes;
    if (!entry)
        return swin2sr__error_set(in->reterr, SWIN2SR_MODEL, "tensor %s has a storage that is not in the file",
                                  tensor->name);
    if (parts[4]->integer < 0 || !swin2sr__size_mul((size_t)parts[4]->integer, types[type].bytes, &bytes) ||
        bytes != entry->bytes)
        return swin2sr__error_set(in->reterr, SWIN2SR_MODEL, "tensor %s has a storage of %lld numbers in %zu bytes",
                                  tensor->name, (long long)parts[4]->integer, entry->bytes);
    tensor->dtype = types[type].dtype;
    ret_view->storage = entry->data;
    ret_view->storage_bytes = entry->bytes;
    ret_view->element_bytes = types[type].bytes;
    return swin2sr__zip_prove(&in->zip, entry, in->reterr);
}

/* Sides, strides and offset: not negative, of equal rank, and the product of the sides fits size_t. */
static bool read_sides(const reader *in, const value *const arguments[4], swin2sr__tensor *tensor, view *ret_view) {
    const value *sides = arguments[2], *strides = arguments[3];
    if (arguments[1]->kind != SWIN2SR__PICKLE_INTEGER || arguments[1]->integer < 0 ||
        sides->kind != SWIN2SR__PICKLE_TUPLE || strides->kind != SWIN2SR__PICKLE_TUPLE ||
        sides->count > SWIN2SR__MAX_RANK || strides->count != sides->count)
        return false;
    ret_view->offset = (size_t)arguments[1]->integer;
    tensor->rank = (int)sides->count;
    tensor->count = 1;
    for (uint32_t i = 0; i < sides->count; i++) {
        const value *side = swin2sr__pickle_element(&in->pickle, sides, i);
        const value *stride = swin2sr__pickle_element(&in->pickle, strides, i);
        if (side->kind != SWIN2SR__PICKLE_INTEGER || stride->kind != SWIN2SR__PICKLE_INTEGER || side->integer < 0 ||
            stride->integer < 0 || !swin2sr__size_mul(tensor->count, (size_t)side->integer, &tensor->count))
            return false;
        tensor->shape[i] = side->integer;
        ret_view->strides[i] = (size_t)stride->integer;
    }
    return true;
}

/* True if the last element is in the storage; then all of them are. */
static bool is_inside(const swin2sr__tensor *tensor, const view *from) {
    size_t last = from->offset, step;
    if (tensor->count == 0)
        return true;
    for (int i = 0; i < tensor->rank; i++)
        if (!swin2sr__size_mul((size_t)tensor->shape[i] - 1, from->strides[i], &step) ||
            !swin2sr__size_add(last, step, &last))
            return false;
    return last < from->storage_bytes / from->element_bytes;
}

/* True for row-major order without gaps. The stride of a side of 1 does not matter. */
static bool is_in_order(const swin2sr__tensor *tensor, const view *from) {
    size_t expected = 1;
    for (int i = tensor->rank - 1; i >= 0; i--) {
        if (tensor->shape[i] != 1 && from->strides[i] != expected)
            return false;
        expected *= (size_t)tensor->shape[i]; /* at most count */
    }
    return true;
}

/* Copy the elements in row-major order, counting up `place` like an odometer. */
static void copy_by_strides(const swin2sr__tensor *tensor, const view *from, unsigned char *to) {
    int64_t place[SWIN2SR__MAX_RANK] = {0};
    size_t at = from->offset;
    for (size_t i = 0; i < tensor->count; i++, to += from->element_bytes) {
        memcpy(to, from->storage + at * from->element_bytes, from->element_bytes);
        for (int axis = tensor->rank - 1; axis >= 0; axis--) {
            at += from->strides[axis];
            if (++place[axis] < tensor->shape[axis])
                break;
            at -= from->strides[axis] * (size_t)tensor->shape[axis];
            place[axis] = 0;
        }
    }
}

/* The arguments of _rebuild_tensor_v2: (storage, offset, sides, strides, ...). */
static swin2sr_status read_tensor(reader *in, const value *made, swin2sr__arena *memory, swin2sr__tensor *tensor) {
    const value *arguments[4] = {NULL};
    view from = {0};
    for (uint32_t i = 0; i < 4; i++)
        arguments[i] = swin2sr__pickle_element(&in->pickle, &in->pickle.values[made->tuple], i);
    swin2sr_status status = find_storage(in, arguments[0], tensor, &from);
    if (status != SWIN2SR_OK)
        return status;
    if (!arguments[3] || !read_sides(in, arguments, tensor, &from))
        return swin2sr__error_set(in->reterr, SWIN2SR_MODEL, "tensor %s has no valid shape, strides and offset",
                                  tensor->name);
    if (!is_inside(tensor, &from))
        return swin2sr__error_set(in->reterr, SWIN2SR_MODEL, "tensor %s ends outside of its storage of %zu bytes",
                                  tensor->name, from.storage_bytes);
    if (!swin2sr__size_mul(tensor->count, from.element_bytes, &tensor->bytes) || tensor->bytes > in->bytes_left)
        return swin2sr__error_set(in->reterr, SWIN2SR_MODEL,
                                  "tensor %s repeats bytes: the tensors together are larger than the file",
                                  tensor->name);
    in->bytes_left -= tensor->bytes;
    if (is_in_order(tensor, &from) || !tensor->count) {
        tensor->data = from.storage + (tensor->count ? from.offset * from.element_bytes : 0);
        return SWIN2SR_OK;
    }
    unsigned char *copy = swin2sr__arena_take(memory, tensor->bytes, 1);
    if (copy)
        copy_by_strides(tensor, &from, copy);
    tensor->data = copy;
    return SWIN2SR_OK;
}

/* One entry of the state dict. The name is copied last, because the arena has memory only in the second walk. */
static swin2sr_status read_entry(reader *in, const value *entry, swin2sr__arena *memory, swin2sr__tensor *ret_tensor) {
    const value *key = &in->pickle.values[entry->key], *made = &in->pickle.values[entry->value];
    char name[SWIN2SR__MAX_NAME_BYTES] = "";
    swin2sr__tensor tensor = {.name = name};
    if (key->kind != SWIN2SR__PICKLE_TEXT)
        return swin2sr__error_set(in->reterr, SWIN2SR_MODEL, "the state dict has a key that is not a text");
    swin2sr_status status = swin2sr__tensor_check_name(key->text, key->text_bytes, in->reterr);
    if (status != SWIN2SR_OK)
        return status;
    memcpy(name, key->text, key->text_bytes);
    if (made->kind != SWIN2SR__PICKLE_TENSOR)
        return swin2sr__error_set(in->reterr, SWIN2SR_MODEL,
                                  "%s is not a tensor, and the file has no params_ema, params or state_dict", name);
    status = read_tensor(in, made, memory, &tensor);
    if (status != SWIN2SR_OK)
        return status;
    char *kept = swin2sr__arena_take(memory, key->text_bytes + 1, 1);
    if (kept)
        memcpy(kept, name, key->text_bytes + 1);
    tensor.name = kept;
    *ret_tensor = tensor;
    return SWIN2SR_OK;
}

/* The dict of tensors in the pickle; NULL if there is no dict. */
static const value *find_state(const swin2sr__pickle *pickle) {
    static const char *const wrappers[] = {"params_ema", "params", "state_dict"};
    const value *root = &pickle->values[pickle->root];
    if (root->kind != SWIN2SR__PICKLE_DICT)
        return NULL;
    for (size_t i = 0; i < sizeof(wrappers) / sizeof(wrappers[0]); i++) {
        for (uint32_t at = root->entry; at; at = pickle->values[at].next) {
            const value *under = &pickle->values[pickle->values[at].value];
            if (swin2sr__pickle_is_text(&pickle->values[pickle->values[at].key], wrappers[i]) &&
                under->kind == SWIN2SR__PICKLE_DICT)
                return under;
        }
    }
    return root;
}

/* The first walk, without memory, checks and counts; the second one fills in the tensors. */
static swin2sr_status walk(reader *in, const value *state, size_t file_bytes, swin2sr__tensors *file) {
    size_t count = 0;
    in->bytes_left = file_bytes;
    for (uint32_t at = state->entry; at; at = in->pickle.values[at].next) {
        swin2sr__tensor tensor;
        if (count == SWIN2SR__MAX_TENSORS)
            return swin2sr__error_set(in->reterr, SWIN2SR_MODEL, "the state dict has more than %d tensors",
                                      SWIN2SR__MAX_TENSORS);
        swin2sr_status status = read_entry(in, &in->pickle.values[at], &file->memory, &tensor);
        if (status != SWIN2SR_OK)
            return status;
        if (file->tensors)
            file->tensors[count] = tensor;
        count++;
    }
    file->tensor_count = count;
    return SWIN2SR_OK;
}

static swin2sr_status read_state(reader *in, size_t file_bytes, swin2sr__tensors *file) {
    const value *state = find_state(&in->pickle);
    if (!state)
        return swin2sr__error_set(in->reterr, SWIN2SR_MODEL, "the checkpoint holds no state dict");
    swin2sr_status status = walk(in, state, file_bytes, file);
    if (status != SWIN2SR_OK)
        return status;
    file->tensors = calloc(file->tensor_count ? file->tensor_count : 1, sizeof(file->tensors[0]));
    if (!file->tensors || !swin2sr__arena_allocate(&file->memory))
        return swin2sr__error_set(in->reterr, SWIN2SR_NOMEM, "no memory for %zu tensors", file->tensor_count);
    return walk(in, state, file_bytes, file);
}

static swin2sr_status read_zip(reader *in, size_t file_bytes, swin2sr__tensors *file) {
    swin2sr__zip_entry *entry = NULL;
    swin2sr_status status = find_pickle(in, &entry);
    if (status == SWIN2SR_OK)
        status = check_byte_order(in);
    if (status == SWIN2SR_OK)
        status = swin2sr__zip_prove(&in->zip, entry, in->reterr);
    if (status == SWIN2SR_OK)
        status = swin2sr__pickle_init(entry->data, entry->bytes, &in->pickle, in->reterr);
    if (status != SWIN2SR_OK)
        return status;
    status = read_state(in, file_bytes, file);
    swin2sr__pickle_done(&in->pickle);
    return status;
}

swin2sr_status swin2sr__checkpoint_init(const void *data, size_t size, swin2sr__tensors *ret_file,
                                        swin2sr_error *reterr) {
    reader in = {.reterr = reterr};
    swin2sr__tensors file = {0};
    if (((const unsigned char *)data)[0] == 0x80)
        return swin2sr__error_set(
            reterr, SWIN2SR_MODEL,
            "a pickle without a zip file around it, as PyTorch before 1.6 wrote; save it again with "
            "a newer one: torch.save(torch.load(FILE), NEW)");
    swin2sr_status status = swin2sr__zip_init(data, size, &in.zip, reterr);
    if (status != SWIN2SR_OK)
        return status;
    status = read_zip(&in, size, &file);
    swin2sr__zip_done(&in.zip);
    if (status == SWIN2SR_OK)
        *ret_file = file;
    else
        swin2sr__tensors_done(&file);
    return status;
}
