/* SPDX-License-Identifier: Apache-2.0
 * swin2sr/model.h - a network that is ready to run: immutable, and shared by streams. */
#ifndef SWIN2SR_MODEL_H
#define SWIN2SR_MODEL_H

#include <swin2sr/types.h>

SWIN2SR_BEGIN

typedef struct swin2sr_model swin2sr_model;

typedef struct swin2sr_model_options {
    swin2sr_precision precision; /* default AUTO */
    int32_t window_px;           /* instead of the file's window; 0: as the file says */
    float img_range;             /* instead of the file's range, 1 or 255; 0: as the file says */
    bool is_plain;               /* use the plain C kernels: slow, for checking the others */
    const char *device;          /* "cpu", "vulkan", "vulkan:N", or "auto": a GPU if one passes its self-test, else the
                                    CPU; NULL: "cpu" */
    int device_cache_fd;  /* a file, open for reading and writing, that keeps the kernels that the driver of a GPU
                                    has compiled, so that the next start takes less time; what it holds is checked, and
                                    replaced if it is damaged or of another driver; 0: none. Borrowed during the call */
    uint64_t reserved[3]; /* 0 */
} swin2sr_model_options;

/* What a model is. The strings belong to the model; name and license have at most 127 bytes and no control characters,
 * whatever the file contains. */
typedef struct swin2sr_model_info {
    const char *name;    /* from the file's metadata, else its base name, else "unnamed" */
    const char *head;    /* "pixelshuffledirect", "pixelshuffle", ...; "" if it has none */
    const char *kernels; /* the kernels in use: "c", "avx2", "avx512", "c_bf16", "bf16", "amx", "vnni", ... */
    const char *license; /* from the metadata; "" if it names none */
    swin2sr_precision precision;
    int32_t scale;     /* output pixels per input pixel along a side */
    int32_t channels;  /* 3: colour, 1: grey */
    int32_t window_px; /* 8 or 7 */
    int32_t embed_dim; /* C */
    int32_t groups;    /* residual groups */
    int32_t blocks;    /* window-attention blocks of all groups together */
    int32_t heads;     /* attention heads */
    float img_range;
    bool has_aux;             /* has a second output: the restored input, in its own size */
    uint64_t parameters;      /* numbers in the file's tensors */
    size_t weights_bytes;     /* memory of the packed weights */
    char sha256[65];          /* of the file, hex */
    const char *kernels_note; /* why faster kernels of this processor are not used; "" if they are, or there are none */
    const char *device;       /* the name of the device: "NVIDIA L4"; "" for the CPU */
    const char *device_note;  /* with device "auto": why the CPU is used; else "" */
    const char *device_driver; /* its driver and version; "" for the CPU */
} swin2sr_model_info;

/* Load a network from a safetensors file or a PyTorch checkpoint (.pth, pytorch_model.bin): F32, F16 or BF16 tensors
 * under official or Hugging Face names. No code in a checkpoint is run; its state dict may be under params_ema, params
 * or state_dict.
 * path       A file. If its metadata has no config, the config.json in its folder is read.
 * options    NULL for the defaults. Borrowed.
 * ret_model  One reference, owned by the caller (swin2sr_model_unref). Untouched on failure.
 * reterr     Details of a failure; may be NULL.
 * threads    Any. Blocks while it reads and packs.
 * errors     _IO, _INVALID (options, or an unknown SWIN2SR_CPU in the environment), _MODEL, _UNSUPPORTED, _NOMEM.
 *                                                                                    since 0.1 */
SWIN2SR_PUBLIC SWIN2SR_MUST_CHECK swin2sr_status swin2sr_model_open(const char *path,
                                                                    const swin2sr_model_options *options,
                                                                    swin2sr_model **ret_model, swin2sr_error *reterr);

/* Load a network from open files, in a program that may not open files itself.
 * fd, config_fd  The weights; the config.json that belongs to them, or -1. Borrowed; their offsets are not used.
 * path           Only used for the model's name, if the metadata has none; may be NULL.
 * others         As swin2sr_model_open.
 * threads        Any. Blocks while it reads and packs.
 * errors         As swin2sr_model_open.                                              since 0.1 */
SWIN2SR_PUBLIC SWIN2SR_MUST_CHECK swin2sr_status swin2sr_model_open_fd(int fd, int config_fd, const char *path,
                                                                       const swin2sr_model_options *options,
                                                                       swin2sr_model **ret_model,
                                                                       swin2sr_error *reterr);

/* Load a network from memory.
 * data, size  The bytes of a file. Borrowed during the call.
 * name        Used if the metadata has no name; may be NULL.
 * others      As swin2sr_model_open.
 * threads     Any.
 * errors      As swin2sr_model_open, without _IO.                                    since 0.1 */
SWIN2SR_PUBLIC SWIN2SR_MUST_CHECK swin2sr_status swin2sr_model_open_memory(const void *data, size_t size,
                                                                           const char *name,
                                                                           const swin2sr_model_options *options,
                                                                           swin2sr_model **ret_model,
                                                                           swin2sr_error *reterr);

/* How many networks are built into libswin2sr.
 * threads  Any.
 * errors   None.                                                                    since 0.1 */
SWIN2SR_PUBLIC size_t swin2sr_model_built_in_count(void);

/* The name of a network that is built into libswin2sr.
 * index    0 is the default network.
 * returns  A constant text, or NULL where index is not below swin2sr_model_built_in_count().
 * threads  Any.
 * errors   None.                                                                    since 0.1 */
SWIN2SR_PUBLIC const char *swin2sr_model_built_in_name(size_t index);

/* One sentence, in English, about the pictures that a built-in network suits.
 * index    As swin2sr_model_built_in_name.
 * returns  A constant text, or NULL where index is not below swin2sr_model_built_in_count().
 * threads  Any.
 * errors   None.                                                                    since 0.1 */
SWIN2SR_PUBLIC const char *swin2sr_model_built_in_summary(size_t index);

/* The bytes of a network that is built into libswin2sr (a safetensors file).
 * name      One of swin2sr_model_built_in_name.
 * ret_size  The number of bytes. Untouched where NULL is returned.
 * returns   Constant bytes, never freed; NULL where no network has this name.
 * threads   Any.
 * errors    None.                                                                   since 0.1 */
SWIN2SR_PUBLIC const void *swin2sr_model_built_in_bytes(const char *name, size_t *ret_size);

/* Load a network that is built into libswin2sr.
 * name     One of swin2sr_model_built_in_name.
 * others   As swin2sr_model_open.
 * threads  Any. Blocks while it packs.
 * errors   _MODEL (no network has this name), _INVALID (options), _NOMEM.            since 0.1 */
SWIN2SR_PUBLIC SWIN2SR_MUST_CHECK swin2sr_status swin2sr_model_open_built_in(const char *name,
                                                                             const swin2sr_model_options *options,
                                                                             swin2sr_model **ret_model,
                                                                             swin2sr_error *reterr);

/* Load the default network, which is the first of those that are built into libswin2sr.
 * others   As swin2sr_model_open.
 * threads  Any. Blocks while it packs.
 * errors   _INVALID (options), _NOMEM.                                               since 0.1 */
SWIN2SR_PUBLIC SWIN2SR_MUST_CHECK swin2sr_status swin2sr_model_open_default(const swin2sr_model_options *options,
                                                                            swin2sr_model **ret_model,
                                                                            swin2sr_error *reterr);

/* The bytes of the default network (a safetensors file).
 * ret_size  The number of bytes.
 * returns   Constant bytes; never freed.
 * threads   Any.
 * errors    None.                                                                   since 0.1 */
SWIN2SR_PUBLIC const void *swin2sr_model_default_bytes(size_t *ret_size);

/* What the metadata of an imported file will say. Strings are borrowed. */
typedef struct swin2sr_import_options {
    const char *name;    /* at most 127 bytes; NULL: from the file's metadata, else its base name */
    const char *source;  /* a URL; NULL: from the file's metadata */
    const char *license; /* an SPDX name; NULL: from the file's metadata */
} swin2sr_import_options;

/* Write a network as one safetensors file, with official names and the tensors' own number types. Its metadata hold
 * config, name, source, license and the SHA-256 of the original file. The network is opened as a model first, so every
 * imported network can be run.
 * path     A file that swin2sr_model_open takes.
 * to_path  The new file; an existing one is replaced. It appears only when it is complete.
 * options  NULL for the defaults. Borrowed.
 * reterr   Details of a failure; may be NULL.
 * threads  Any. Blocks while it reads, checks and writes.
 * errors   As swin2sr_model_open; _INVALID (options); _IO.                           since 0.1 */
SWIN2SR_PUBLIC SWIN2SR_MUST_CHECK swin2sr_status swin2sr_model_import(const char *path, const char *to_path,
                                                                      const swin2sr_import_options *options,
                                                                      swin2sr_error *reterr);

/* Add a reference.
 * returns  model.
 * threads  Any.
 * errors   None.                                                                    since 0.1 */
SWIN2SR_PUBLIC swin2sr_model *swin2sr_model_ref(swin2sr_model *model);

/* Drop a reference; dropping the last one frees the model.
 * model    NULL is allowed.
 * threads  Any.
 * errors   None.                                                                    since 0.1 */
SWIN2SR_PUBLIC void swin2sr_model_unref(swin2sr_model *model);

/* What a model is.
 * returns  Borrowed from the model; constant as long as the model exists.
 * threads  Any.
 * errors   None.                                                                    since 0.1 */
SWIN2SR_PUBLIC const swin2sr_model_info *swin2sr_model_get_info(const swin2sr_model *model);

/* Ask whether the device of a model was lost: its driver has ended it, or it does not answer. Streams of the model then
 * fail with _IO. Other models on that device may fail too, so a program should start again in a new process.
 * threads  Any.
 * errors   None.                                                                    since 0.1 */
SWIN2SR_PUBLIC bool swin2sr_model_is_lost(const swin2sr_model *model);

SWIN2SR_END
#endif
