/* What all packed files have in common, whatever their weights are. */
#ifndef VGG_MODEL_PACK_H
#define VGG_MODEL_PACK_H

#include "checkpoint/write/packed_writer.h"
#include "model/graph/build.h"
#include "model/view.h"

/* Refuses what no packed file can hold: ARGUMENT; and weights that are no numbers: UNSUPPORTED. */
vgg_status vgg_model_check_packable(const vgg_model *model, struct vgg_error *err);

/* Refuses a packed file that lacks weights which every CPU could prepare from: UNSUPPORTED. */
vgg_status vgg_model_check_plain(const vgg_model *model, struct vgg_error *err);

/* The same net without BatchNorm, whose shift becomes the convolution's bias, under torchvision's names.
 *   path   for messages
 *   out    shares with spec all but what the arena owns
 * Errors: MEMORY. */
vgg_status vgg_spec_fold(const char *path, const struct vgg_spec *spec, struct vgg_arena *arena,
                         struct vgg_spec *out, struct vgg_error *err);

/* Writes a packed file, which replaces PATH in one step.
 *   model_path  for messages
 *   write       writes the tensors
 * Errors: IO, LIMIT, MEMORY, and those of write. */
typedef vgg_status vgg_pack_fn(void *user, struct vgg_packed_writer *writer);
vgg_status vgg_pack_write(const char *path, const char *model_path, const struct vgg_spec *spec,
                          const struct vgg_context *context, vgg_pack_fn *write, void *user,
                          struct vgg_error *err);

struct vgg_pack_forms {
    enum vgg_dtype weights; /* float32, bfloat16 or float16 */
    bool plain;             /* convolutions' weights as any CPU can prepare them, too */
    /* Writes a convolution's weight in other forms, `name` being the folded net's for it; NULL: there are none. */
    vgg_status (*write)(void *user, const struct vgg_node *node, const char *name,
                        struct vgg_packed_writer *writer, struct vgg_error *err);
    void *user;
};

/* vgg_model_pack, but for what plan/ adds; of a model that was checked. */
vgg_status vgg_model_write_packed(const vgg_model *model, const char *path,
                                  const struct vgg_pack_forms *forms, struct vgg_error *err);

#endif
