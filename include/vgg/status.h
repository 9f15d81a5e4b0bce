/* SPDX-License-Identifier: MIT */
/* Status codes, the error record, and the limits on untrusted input. */
#ifndef VGG_STATUS_H
#define VGG_STATUS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define VGG_API __attribute__((visibility("default")))
#else
#define VGG_API
#endif

/* --- versions and growth -----------------------------------------------------------------------------
 *
 * A program goes on running, without being compiled again, with every later library of the same soname
 * (libvgg.so.0): no function goes or changes its parameters, no struct changes its size or the place of a
 * field, no constant its value. Functions, constants and enum values are added; a program must expect
 * status codes, element types and containers that it does not know.
 *
 * Structs that a caller provides grow into their `reserved` fields, which a caller leaves zero; zero in
 * any field of an option means the default. struct vgg_limits is the exception: it is set by
 * vgg_limits_init, and then changed. Structs without `reserved` never grow.
 *
 * What messages say, which algorithm is chosen, and hence the last bits of a result, may change with
 * every version. A change that breaks a program gets a new soname and a new major version; before 1.0,
 * a new minor version. */

/* The version this header belongs to. */
#define VGG_VERSION_MAJOR 0
#define VGG_VERSION_MINOR 1
#define VGG_VERSION_PATCH 0
#define VGG_VERSION_TEXT_(major, minor, patch) #major "." #minor "." #patch
#define VGG_VERSION_TEXT(major, minor, patch) VGG_VERSION_TEXT_(major, minor, patch)
#define VGG_VERSION_STRING VGG_VERSION_TEXT(VGG_VERSION_MAJOR, VGG_VERSION_MINOR, VGG_VERSION_PATCH)

typedef enum vgg_status {
    VGG_OK = 0,
    VGG_ERR_ARGUMENT,    /* the caller's mistake: a NULL, a count or an option out of range */
    VGG_ERR_IO,          /* the system refused: sys_errno says why */
    VGG_ERR_FORMAT,      /* the bytes are not what they should be */
    VGG_ERR_UNSUPPORTED, /* well formed, but something this library does not do */
    VGG_ERR_LIMIT,       /* larger than struct vgg_limits allows */
    VGG_ERR_MISMATCH,    /* two things that should agree do not: names, shapes, hashes, sizes */
    VGG_ERR_MEMORY,      /* an allocation failed */
} vgg_status;

#define VGG_ERROR_MESSAGE_BYTES 1000

/* What the caller can do about an error that a choice of the caller's would avoid. Messages do not say how:
 * a program adds it in its own words, with the names of its options. */
enum vgg_hint {
    VGG_HINT_NONE,
    VGG_HINT_KEY,    /* choose one of the nets that the message lists: vgg_checkpoint_options.key */
    VGG_HINT_LAYERS, /* describe the net's layers: vgg_model_options.cfg or spec_path */
    VGG_HINT_SPEC,   /* the file describes a net: it belongs to vgg_model_options.spec_path */
    VGG_HINT_SIZE,   /* give the size of the input: vgg_model_options.height and width */
    /* The message lists what is assumed: give it, or write a description with vgg_model_write_spec and check it. */
    VGG_HINT_STRICT,
    VGG_HINT_PACK, /* pack the model for this machine or for all: vgg_pack_options.isas and plain */
    VGG_HINT_MAX_PIXELS, /* allow larger images: vgg_limits.image_pixels */
    VGG_HINT_MAX_MEMORY, /* allow images more memory: vgg_limits.image_memory */
    VGG_HINT_BESIDE, /* correct the description beside the checkpoint, or name another: vgg_model_options.spec_path */
};

/* Filled by every function that can fail and is given one; untouched on success. 1 KiB: it can be on the stack. */
struct vgg_error {
    vgg_status code;
    /* errno of the failing system call, or 0 */
    int sys_errno;
    /* where in the file, or VGG_NO_OFFSET */
    uint64_t byte_offset;
    enum vgg_hint hint;
    uint32_t reserved;
    /* File, thing, expected and found, e.g.
     * "vgg16.pth: features.0.weight: expected [64,3,3,3], got [64,1,3,3]". UTF-8, no newline at the
     * end; characters taken from the input are shown as by vgg_text_show. A longer message has "…" in the place of
     * its middle. The whole text of one that lists things (tensors, nets, keys, layers) goes to the context's
     * log with the level VGG_LOG_ERROR before the function returns. */
    char message[VGG_ERROR_MESSAGE_BYTES];
};

#define VGG_NO_OFFSET UINT64_MAX

/* Bounds on what one untrusted file may cost. */
struct vgg_limits {
    uint64_t file_bytes;       /* largest file that is opened; default 8 GiB */
    uint64_t pickle_bytes;     /* one pickle; default 64 MiB */
    uint32_t pickle_opcodes;   /* opcodes in one pickle; default 1,000,000 */
    uint32_t pickle_stack;     /* depth of the pickle stack; default 10,000 */
    uint32_t pickle_memo;      /* memo entries; default 100,000 */
    uint32_t tensors;          /* tensors in a checkpoint; default 10,000 */
    uint32_t zip_entries;      /* members of a zip; default 100,000 */
    uint64_t header_bytes;     /* of a safetensors file; a zip's directory; default 16 MiB */
    uint64_t json_bytes;       /* a JSON description; default 1 MiB */
    uint32_t layers;           /* layers of a net; default 1,000 */
    uint64_t image_file_bytes; /* an image's file; default 256 MiB */
    uint64_t image_pixels; /* width * height; default 178,956,970, where Pillow refuses. Work that a
                                  small file can ask for (scans of a JPEG, resizing) is bounded by it too */
    uint64_t activation_bytes; /* memory planned for activations; default 4 GiB */
    uint64_t value_bytes;      /* what one pickle becomes in memory; default 32 MiB */
    uint64_t unpack_ratio;     /* unpacked bytes of a zip past 16 MiB, to the file's; default 20 */
    uint64_t repeated_bytes;   /* of elements in the same bytes as others; default 16 MiB */
    uint64_t assumed_bytes; /* of activation_bytes for an image of a size that nobody gave, but the
                                  file states or suggests, beyond the weights' own; default 40 MiB */
    /* What decoding and resizing one image may take: its pixels or tensor too, but not its file. Default 512 MiB. */
    uint64_t image_memory;
    uint64_t reserved[6]; /* for further limits; set by vgg_limits_init */
};

/* Sets every limit to its default. Thread-safe. */
VGG_API void vgg_limits_init(struct vgg_limits *limits);

/* A short constant English phrase for a status ("bad format"); never NULL. Thread-safe. */
VGG_API const char *vgg_status_string(vgg_status status);

/* Of a character that is shown, with a 0. */
#define VGG_SHOWN_BYTES 12

/* Shows the next character of a text that a file may have chosen: itself, or if it would steer a terminal, reorder its line
 * or break it (control and format characters, separators of lines and paragraphs), or is no UTF-8, "\x1b", "\u202e" or
 * "\U000e0001". Returns how many bytes of the text that is; 0 at its end. Thread-safe. */
VGG_API size_t vgg_text_show(const char *text, char out[VGG_SHOWN_BYTES]);

/* The version of the library that is running, e.g. "0.1.0". Thread-safe. */
VGG_API const char *vgg_version(void);

#ifdef __cplusplus
}
#endif
#endif
