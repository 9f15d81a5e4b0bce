/* SPDX-License-Identifier: MIT */
/* Open a PyTorch checkpoint and walk its tensors without copying them. */
#ifndef VGG_CHECKPOINT_H
#define VGG_CHECKPOINT_H

#include <stdbool.h>

#include "vgg/context.h"
#include "vgg/status.h"

#ifdef __cplusplus
extern "C" {
#endif

#define VGG_MAX_DIMS 8

enum vgg_dtype {
    VGG_DTYPE_F32,
    VGG_DTYPE_F64,
    VGG_DTYPE_F16,
    VGG_DTYPE_BF16,
    VGG_DTYPE_I64,
    VGG_DTYPE_I32,
    VGG_DTYPE_I16,
    VGG_DTYPE_I8,
    VGG_DTYPE_U8,
    VGG_DTYPE_BOOL,
    VGG_DTYPE_F8_E4M3, /* torch.float8_e4m3fn: no infinities */
    VGG_DTYPE_F8_E5M2, /* torch.float8_e5m2 */
};

enum vgg_container {
    VGG_CONTAINER_ZIP, /* torch.save since 1.6 */
    VGG_CONTAINER_LEGACY, /* torch.save from 0.1.10 to 1.5, and on request since: a stream of pickles */
    VGG_CONTAINER_TAR, /* torch.save before 0.1.10 */
    VGG_CONTAINER_SAFETENSORS,
    VGG_CONTAINER_TORCHSCRIPT, /* torch.jit.save: a zip, too */
    VGG_CONTAINER_PACKED,      /* vgg_model_pack's */
};

/* In which order a tensor's elements lie. */
enum vgg_layout {
    VGG_LAYOUT_ROWS, /* by strides: the elements of all checkpoints, and of packed files as a rule */
    VGG_LAYOUT_COLUMN_MAJOR, /* packed files: a matrix [rows][k] as [rows / 64][k][64], the last rows filled
                           up, so that a kernel can leave out what an input of zero multiplies */
    VGG_LAYOUT_INT8,         /* packed int8 nets: [oc][ic][kh][kw] or [oc][ic] as
                        [oc / 16][ic / 64][kh][kw][16][16 oc][4 ic], filled up */
    VGG_LAYOUT_INT8_INPUT, /* and their first convolution's: [oc / 16][kh][kw][16 oc][4 ic] */
    VGG_LAYOUT_PREPACKED, /* packed files: only in the orders that some CPUs' convolutions read; the tensor's
                            data is NULL */
};

/* A named tensor: a view into the checkpoint's memory. */
struct vgg_tensor {
    const char *name; /* "features.0.weight", as in the file less what wrappers put before it
                         ("module."); valid UTF-8 without control characters */
    enum vgg_dtype dtype;
    int ndim;                     /* 0 … VGG_MAX_DIMS */
    int64_t shape[VGG_MAX_DIMS];  /* elements, all >= 0 */
    int64_t stride[VGG_MAX_DIMS]; /* elements, all >= 0; 0 in another layout than ROWS */
    const void *data;             /* element [0,0,…]; may have any byte alignment; or NULL */
    uint64_t file_offset; /* of data, in bytes; VGG_NO_OFFSET when it is not in the file as is */
    bool swapped;         /* the elements' bytes are in the other order than this machine's */
    enum vgg_layout layout;
    uint64_t reserved[4];
};

typedef struct vgg_checkpoint vgg_checkpoint;

/* Opens a checkpoint: maps the file, recognises the container by its content, reads the pickle or
 * header, finds the net's tensors wherever training scripts put them, and takes off what wrappers put
 * before their names. Nothing in the file is ever executed, and no tensor's bytes are read, but for
 * weights in two parts (weight_norm's, prune's), which are made whole.
 *   path     file name; a regular file
 *   context  NULL for the defaults
 *   out      receives the checkpoint, to be closed by the caller; NULL after an error
 * Errors: IO, FORMAT, UNSUPPORTED, MISMATCH (several different VGGs, which the message lists), LIMIT,
 * MEMORY.
 * The file must not be changed or shortened by others while it is open: the tensors are the file's own
 * pages. Bytes that change give other numbers; sizes and places are read and checked once, so that
 * nothing outside the file is ever read. In a file that is shortened, or whose disk fails, reading a
 * tensor raises SIGBUS, which the library does not catch; vgg_checkpoint_owns is for those who do.
 * Threads: any; one checkpoint may be read by many threads at once. */
VGG_API vgg_status vgg_checkpoint_open(const char *path, const struct vgg_context *context,
                                       vgg_checkpoint **out, struct vgg_error *err);

struct vgg_checkpoint_options {
    const char *key; /* which of several nets in the file: the path of its state dict or module,
                        "ema.module", and then the beginning of its tensors' names where several
                        nets share a dict, "state_dict.student"; "." is the root. NULL: the only
                        VGG there is */
    bool names_only; /* do not compute weights that are kept in two parts: their data is NULL */
    uint64_t reserved[8];
};

/* The same with a choice.
 *   options  NULL for none
 * Errors: also MISMATCH when there is nothing under the key; the message lists what there is. */
VGG_API vgg_status vgg_checkpoint_open_with(const char *path,
                                            const struct vgg_checkpoint_options *options,
                                            const struct vgg_context *context, vgg_checkpoint **out,
                                            struct vgg_error *err);

/* The same as vgg_checkpoint_open_with, of a file's bytes in memory.
 *   bytes  [count] borrowed until the checkpoint is closed, and not to be changed until then; at any
 *          alignment
 *   name   stands for the path in messages, for vgg_checkpoint_verify, and where a description of the
 *          net is looked for: NAME.json beside it */
VGG_API vgg_status vgg_checkpoint_open_memory(const void *bytes, size_t count, const char *name,
                                              const struct vgg_checkpoint_options *options,
                                              const struct vgg_context *context,
                                              vgg_checkpoint **out, struct vgg_error *err);

/* Whether an address lies in the mapped file. Safe in a signal handler, while the checkpoint is open. */
VGG_API bool vgg_checkpoint_owns(const vgg_checkpoint *checkpoint, const void *address);

/* Unmaps the file and frees everything, the tensors' names and data too. NULL is allowed. */
VGG_API void vgg_checkpoint_close(vgg_checkpoint *checkpoint);

/* What was opened: the path as given, the container, the size of the file in bytes. Here and below,
 * strings are the checkpoint's, and all that only looks at it may be called from many threads. */
VGG_API const char *vgg_checkpoint_get_path(const vgg_checkpoint *checkpoint);
VGG_API enum vgg_container vgg_checkpoint_get_container(const vgg_checkpoint *checkpoint);
VGG_API uint64_t vgg_checkpoint_get_file_bytes(const vgg_checkpoint *checkpoint);

/* Who wrote the file, as far as its container shows: "PyTorch 2.1 or later, archive version 3, byteorder
 * little, pickle protocol 2", or what a safetensors header has under "__metadata__"; or "". */
VGG_API const char *vgg_checkpoint_get_writer(const vgg_checkpoint *checkpoint);

/* Where in the file the tensors were found: the path of their dict or module ("state_dict"; "" is the
 * root), what was taken off their names ("module."; ""), the class of the module ("VGG"; NULL for a
 * state dict), and how many tensors beside them do not have that beginning and were skipped. */
VGG_API const char *vgg_checkpoint_get_key(const vgg_checkpoint *checkpoint);
VGG_API const char *vgg_checkpoint_get_prefix(const vgg_checkpoint *checkpoint);
VGG_API const char *vgg_checkpoint_get_class(const vgg_checkpoint *checkpoint);
VGG_API size_t vgg_checkpoint_get_skipped(const vgg_checkpoint *checkpoint);

/* The number of tensors, and each of them in the order of the file (borrowed until close).
 *   index  0 … count-1 */
VGG_API size_t vgg_checkpoint_get_tensor_count(const vgg_checkpoint *checkpoint);
VGG_API const struct vgg_tensor *vgg_checkpoint_get_tensor(const vgg_checkpoint *checkpoint,
                                                           size_t index);

/* The tensor with exactly this name, or NULL. */
VGG_API const struct vgg_tensor *vgg_checkpoint_find_tensor(const vgg_checkpoint *checkpoint,
                                                            const char *name);

/* A convolution's weight as some CPUs' kernels read it, which a packed file holds beside the plain tensor or
 * instead of it. */
struct vgg_ready_info {
    const char *name;  /* of the tensor; borrowed */
    const char *order; /* "direct", or "winograd": filters transformed for F(m x m, 3 x 3) */
    int m;             /* 0 where direct */
    int group;         /* output channels side by side */
    int channels;      /* input channels side by side, or all of Winograd's, filled up */
    uint64_t bytes, file_offset;
    uint64_t reserved[4];
};
VGG_API size_t vgg_checkpoint_get_ready_count(const vgg_checkpoint *checkpoint);
/* index  0 … count-1 */
VGG_API void vgg_checkpoint_get_ready(const vgg_checkpoint *checkpoint, size_t index,
                                      struct vgg_ready_info *info);

/* What a file could be compared with. */
struct vgg_verified {
    bool sha256; /* the digits in its name: "vgg16-397923af.pth" */
    /* Members of a zip archive or parts of a packed file, each with its CRC-32. */
    uint32_t crc_checked;
    /* Members that are stored without one, like all others of their archive. */
    uint32_t crc_missing;
    /* Files that could be compared with nothing. */
    uint32_t unverified;
    uint64_t reserved[4];
};

/* Checks whatever can be checked: the CRC-32 of every member of a zip archive or part of a packed file, and
 * the file's SHA-256 against the prefix that torchvision writes into file names. Reads the whole file, twice
 * at most.
 *   out  receives what agreed; may be NULL
 * Errors: FORMAT (another CRC; a zip in which some members have one and some have none), MISMATCH (another
 * SHA-256, with both values), LIMIT, MEMORY. Threads: any. */
VGG_API vgg_status vgg_checkpoint_verify(const vgg_checkpoint *checkpoint, struct vgg_verified *out,
                                         struct vgg_error *err);

/* Writes all tensors into a file that PyTorch and others read: names, element types, shapes and values are
 * kept, storages that tensors share and anything beside them are not. A packed file's description goes into the
 * .json beside PATH, where it is looked for, if there is no other one yet.
 *   path  ends in ".pth" or ".pt" (what torch.save writes, for torch.load with weights_only and
 *         PyTorch 1.6 and later) or in ".safetensors". It gets its name when it is whole and safe on the
 *         disk: whatever happens, PATH is the old file or the whole new one. Until then it has no name
 *         where the file system can do that, so that a kill leaves nothing, or else another name in the
 *         same folder. It may be the checkpoint's own.
 * Errors: ARGUMENT (another ending), UNSUPPORTED (float8 in a .pth; weights of a packed file that are
 * there in prepacked form only), IO (another description there), MEMORY. Threads: any. */
VGG_API vgg_status vgg_checkpoint_save(const vgg_checkpoint *checkpoint, const char *path,
                                       struct vgg_error *err);

/* Number of elements; the shape of an opened tensor never overflows. */
VGG_API int64_t vgg_tensor_get_count(const struct vgg_tensor *tensor);

/* Whether the elements lie one after the other in row-major order: never in another layout than ROWS. */
VGG_API bool vgg_tensor_is_contiguous(const struct vgg_tensor *tensor);

/* Copies the elements in row-major order as float32, whatever their dtype, layout and byte order (NaN where
 * data is NULL); integers and wider floats are rounded to nearest.
 *   out  [vgg_tensor_get_count(tensor)], the caller's
 * Threads: any. */
VGG_API void vgg_tensor_read_f32(const struct vgg_tensor *tensor, float *out);

/* Bytes of one element. */
VGG_API size_t vgg_dtype_get_bytes(enum vgg_dtype dtype);

/* "float32", "int64", …; "zip", "legacy", "tar", "safetensors", "torchscript", "packed";
 * "rows", "column-major", "int8", "int8-input", "prepacked". Never NULL. */
VGG_API const char *vgg_dtype_string(enum vgg_dtype dtype);
VGG_API const char *vgg_layout_string(enum vgg_layout layout);
VGG_API const char *vgg_container_string(enum vgg_container container);

#ifdef __cplusplus
}
#endif
#endif
