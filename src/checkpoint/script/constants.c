/* SPDX-License-Identifier: MIT */
/* The constants of the code of a TorchScript archive: constants.pkl and its storages. */
#include "checkpoint/script/constants.h"

#include <stdio.h>
#include <string.h>

#include "base/byteorder.h"
#include "checkpoint/locate/rebuild.h"

vgg_status vgg_constants_read(const struct vgg_archive *archive, struct vgg_pickle *out,
                              struct vgg_storages *storages)
{
    const struct vgg_load *load = &archive->load;
    struct vgg_member member;
    *storages = (struct vgg_storages){0};
    vgg_status status =
        archive->read_member(archive, "constants.pkl", load->limits->pickle_bytes, &member);
    if (status != VGG_OK || member.data == NULL) {
        return status;
    }
    const struct vgg_pickle_source source = {.data = member.data,
                                             .size = member.size,
                                             .is_private = true,
                                             .file_offset = member.file_offset};
    status = vgg_pickle_read(load, &source, out);
    if (status != VGG_OK ||
        (out->root->kind != VGG_VALUE_TUPLE && out->root->kind != VGG_VALUE_LIST)) {
        return status;
    }
    return vgg_storages_collect(load, out, storages);
}

/* Scripts are written with the lowest byte first. */
static double read_double(const uint8_t bytes[8])
{
    uint64_t bits = 0;
    double number;
    for (int i = 7; i >= 0; i--) {
        bits = bits << 8 | bytes[i];
    }
    memcpy(&number, &bits, sizeof number);
    return number;
}

bool vgg_constants_get_real(const struct vgg_archive *archive, const struct vgg_value *value,
                            double *out)
{
    /* A number of Python becomes a float64. */
    enum { BYTES = 8 };
    const struct vgg_archive quiet = {
        .load = vgg_load_quietly(&archive->load), .file = archive->file, .state = archive->state};
    struct vgg_tensor tensor;
    struct vgg_placement placement;
    struct vgg_member member;
    char name[96];
    if (vgg_tensor_rebuild(&quiet.load, value, "", &tensor, &placement) != VGG_OK ||
        tensor.ndim != 0 || placement.storage->type->dtype != VGG_DTYPE_F64) {
        return false;
    }
    const struct vgg_span key = placement.storage->key;
    snprintf(name, sizeof name, "constants/%.*s", (int)key.length, key.bytes);
    const bool read = archive->read_member(&quiet, name, BYTES, &member) == VGG_OK;
    if (!read || member.data == NULL || member.size != BYTES || placement.offset != 0) {
        return false;
    }
    *out = read_double(member.data);
    return true;
}
