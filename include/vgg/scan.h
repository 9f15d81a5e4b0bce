/* SPDX-License-Identifier: MIT */
/* Find out what loading a file with Python would import and call, without loading it. */
#ifndef VGG_SCAN_H
#define VGG_SCAN_H

#include <stdbool.h>

#include "vgg/context.h"
#include "vgg/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* In ascending order. */
enum vgg_scan_severity {
    VGG_SCAN_INERT,  /* on the list of harmless names */
    VGG_SCAN_UNREAD, /* a part that could not be looked into: the file cannot be judged */
    VGG_SCAN_SUSPICIOUS, /* a name that is not known to be harmless, or an archive that readers see differently */
    VGG_SCAN_DANGEROUS, /* runs code, or reaches what does */
};

enum vgg_scan_rule {
    VGG_SCAN_RULE_NAME,     /* a module's class or function is imported, or called as well */
    VGG_SCAN_RULE_COMPUTED, /* which name, or what is called, is known at run time only */
    VGG_SCAN_RULE_CHANGED,  /* attributes or items of an imported thing or of a tensor are set */
    VGG_SCAN_RULE_EXTENSION, /* a name of copyreg's registry, or an object that the loader provides */
    VGG_SCAN_RULE_BROKEN,    /* a pickle ends early: Python runs what stands before */
    VGG_SCAN_RULE_ARCHIVE,   /* two readers may see two different archives */
    VGG_SCAN_RULE_SCRIPT,    /* TorchScript code that reaches files */
    VGG_SCAN_RULE_UNREAD,    /* compressed, of an unknown kind, or past a limit */
    VGG_SCAN_RULES,
};

/* Strings are valid during the call, and hold what the file holds: bytes that are no UTF-8, control characters. */
struct vgg_scan_finding {
    enum vgg_scan_rule rule;
    enum vgg_scan_severity severity;
    const char
        *member; /* "" is the file, "archive/data.pkl" a member, "a.zip > b.pkl" one of a member */
    const char *subject;  /* "os.system"; "" where the rule is not about a name */
    const char *message;  /* one sentence without the file's name */
    uint64_t offset;      /* in the member */
    uint64_t file_offset; /* in the file; VGG_NO_OFFSET where the member is not in it as is */
    uint64_t count;       /* how often */
    uint64_t reserved[4];
};

/* An opcode of a pickle. */
struct vgg_scan_opcode {
    const char *member;
    const char *name;    /* "GLOBAL" */
    const char *operand; /* [operand_bytes], as in the file; two lines are separated by a newline */
    size_t operand_bytes; /* 0: none, or a number */
    uint64_t number;
    uint64_t offset; /* in the member */
};

struct vgg_scan_options {
    /* Called for every finding, the inert ones too; at most 1000 of a severity are reported, all are counted. */
    void (*found)(void *user, const struct vgg_scan_finding *finding);
    /* Called for every opcode of every pickle. */
    void (*traced)(void *user, const struct vgg_scan_opcode *opcode);
    void *user;
    /* Names that are harmless, too, separated by commas: "__main__.Net,timm.*". It cannot clear a dangerous name. */
    const char *allowed;
    /* Do not report a file that is not recognised, unless its name is that of a model: for the files of a folder. */
    bool skip_others;
    uint64_t reserved[4];
};

struct vgg_scan_result {
    uint64_t dangerous, suspicious, unread, inert;
    uint64_t pickles; /* how many were followed to their end */
    bool
        recognised; /* the file is of a kind that Python unpickles, or of one that cannot hold a pickle */
    uint64_t reserved[4];
};

/* Follows every pickle in a file: torch.save's zip, stream and tar, TorchScript, bare pickles of every protocol, several
 * in a row, NumPy's arrays of objects, joblib's files, zlib's and gzip's streams, archives in archives, pickles in
 * pickles, under any name. Nothing is imported, called or executed. Time and memory are bounded by the context's
 * limits: what is past them is reported as UNREAD.
 *   options  may be NULL
 *   out      the counts, complete only if the call succeeds
 * Errors: IO, LIMIT (the file's size), UNSUPPORTED (no regular file), MEMORY. Threads: any. */
VGG_API vgg_status vgg_scan_file(const char *path, const struct vgg_scan_options *options,
                                 const struct vgg_context *context, struct vgg_scan_result *out,
                                 struct vgg_error *err);

/* The same for bytes in memory. */
VGG_API vgg_status vgg_scan_memory(const void *bytes, size_t count, const char *name,
                                   const struct vgg_scan_options *options,
                                   const struct vgg_context *context, struct vgg_scan_result *out,
                                   struct vgg_error *err);

/* "inert", "unread", "suspicious", "dangerous"; "name", "computed" …. Never NULL. */
VGG_API const char *vgg_scan_severity_string(enum vgg_scan_severity severity);
VGG_API const char *vgg_scan_rule_string(enum vgg_scan_rule rule);

#ifdef __cplusplus
}
#endif
#endif
