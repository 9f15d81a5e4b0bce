/* Reading JSON objects by a table of their keys.
 *
 * Nothing is passed over: an unknown key, a wrong type or a number out of range is an error that names
 * the key, what was expected and what was found. */
#ifndef VGG_MODEL_SPEC_FIELDS_H
#define VGG_MODEL_SPEC_FIELDS_H

#include "base/json.h"
#include "base/mem.h"
#include "base/status.h"

/* What is being read, and where to. */
struct vgg_reader {
    const char *source; /* the file's name, for messages */
    const struct vgg_limits *limits;
    struct vgg_arena *arena; /* owns the texts */
    struct vgg_error *err;
};

/* One key of an object: what may stand there, and where it goes. */
struct vgg_field {
    const char *key;
    enum {
        VGG_FIELD_INT,    /* int, least … most */
        VGG_FIELD_NUMBER, /* double, least … most */
        VGG_FIELD_BOOL,   /* bool */
        VGG_FIELD_TEXT,   /* const char *, one line */
        VGG_FIELD_ANY,    /* const struct vgg_json *, which the caller reads */
    } type;
    void *target; /* left as it is when the key is absent */
    bool required;
    double least, most;
};

/* Room for a key as messages show it: "layers[3].kernel". */
enum { VGG_KEY_BYTES = 96 };

/* Reads an object, whose keys are the fields' and no others.
 *   where   the object's own key; "" for the whole description
 *   fields  [count], at most 32 */
vgg_status vgg_read_object(const struct vgg_reader *reader, const char *where,
                           const struct vgg_json *object, const struct vgg_field *fields,
                           size_t count);
#define VGG_READ_OBJECT(reader, where, object, fields)                                             \
    vgg_read_object(reader, where, object, fields, sizeof(fields) / sizeof((fields)[0]))

/* Read one value, which stands under this key; numbers from least to most, a text of one line. */
vgg_status vgg_read_number(const struct vgg_reader *reader, const char *key,
                           const struct vgg_json *item, double least, double most, double *out);
vgg_status vgg_read_int(const struct vgg_reader *reader, const char *key,
                        const struct vgg_json *item, int least, int most, int *out);
vgg_status vgg_read_text(const struct vgg_reader *reader, const char *key,
                         const struct vgg_json *item, const char **out);

/* The number of entries of a list of 1 … most. */
vgg_status vgg_read_count(const struct vgg_reader *reader, const char *key,
                          const struct vgg_json *list, uint32_t most, size_t *out);

/* Report what is wrong with a key: FORMAT; found may be NULL. */
vgg_status vgg_reader_fail_key(const struct vgg_reader *reader, const char *key,
                               const char *problem);
vgg_status vgg_reader_fail_expected(const struct vgg_reader *reader, const char *key,
                                    const char *expected, const struct vgg_json *found);
vgg_status vgg_reader_fail_memory(const struct vgg_reader *reader, size_t bytes);

#endif
