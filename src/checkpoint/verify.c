/* SPDX-License-Identifier: MIT */
/* Compares a file with the hash in its name and with the CRCs in it. */
#include "checkpoint/checkpoint.h"
#include "checkpoint/container/packed.h"
#include "checkpoint/container/zip.h"
#include "checkpoint/sha256.h"

/* torchvision writes 8 digits; fewer could be a word of the name ("vgg-ab.pth"). */
enum { PREFIX_DIGITS_MIN = 8, DIGITS_MAX = 2 * VGG_SHA256_BYTES };

/* The hexadecimal digits between a '-' and a '.' of the file's name, or length 0. */
static struct vgg_span find_prefix(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;
    for (const char *dash = strchr(name, '-'); dash != NULL; dash = strchr(dash + 1, '-')) {
        size_t digits = strspn(dash + 1, "0123456789abcdef");
        if (digits >= PREFIX_DIGITS_MIN && digits <= DIGITS_MAX && dash[1 + digits] == '.') {
            return (struct vgg_span){dash + 1, (uint32_t)digits};
        }
    }
    return (struct vgg_span){name, 0};
}

static vgg_status verify_name(const struct vgg_part *part, bool *checked, struct vgg_error *err)
{
    struct vgg_span prefix = find_prefix(part->path);
    *checked = prefix.length > 0;
    if (prefix.length == 0) {
        return VGG_OK;
    }
    uint8_t digest[VGG_SHA256_BYTES];
    char found[DIGITS_MAX + 1] = {0};
    vgg_sha256(part->file.data, part->file.size, digest);
    for (size_t i = 0; i < DIGITS_MAX; i++) {
        found[i] = "0123456789abcdef"[digest[i / 2] >> (i % 2 == 0 ? 4 : 0) & 0xf];
    }
    if (memcmp(found, prefix.bytes, prefix.length) != 0) {
        return vgg_fail(err, VGG_ERR_MISMATCH,
                        "%s: SHA-256: expected %.*s… (from the file's name), found %s", part->path,
                        (int)prefix.length, prefix.bytes, found);
    }
    return VGG_OK;
}

/* Reads the archive again: its directory was freed when the checkpoint was open. */
static vgg_status verify_members(const vgg_checkpoint *checkpoint, const struct vgg_part *part,
                                 struct vgg_verified *out, struct vgg_error *err)
{
    struct vgg_limits limits;
    struct vgg_arena arena = {.context = vgg_checkpoint_get_context(checkpoint)};
    vgg_limits_init(&limits);
    const struct vgg_archive archive = {
        .load = {.path = part->path, .limits = &limits, .arena = &arena, .err = err},
        .file = &part->file};
    vgg_status status = part->container == VGG_CONTAINER_PACKED ? vgg_packed_verify(&archive, out)
                                                                : vgg_zip_verify(&archive, out);
    vgg_arena_destroy(&arena);
    return status;
}

static vgg_status verify_part(const vgg_checkpoint *checkpoint, const struct vgg_part *part,
                              struct vgg_verified *out, struct vgg_error *err)
{
    vgg_status status = VGG_OK;
    if (part->container == VGG_CONTAINER_ZIP || part->container == VGG_CONTAINER_TORCHSCRIPT ||
        part->container == VGG_CONTAINER_PACKED) {
        /* First, because its message says where the damage is. */
        status = verify_members(checkpoint, part, out, err);
    }
    return status ? status : verify_name(part, &out->sha256, err);
}

vgg_status vgg_checkpoint_verify(const vgg_checkpoint *checkpoint, struct vgg_verified *out,
                                 struct vgg_error *err)
{
    struct vgg_verified done = {.sha256 = true};
    vgg_status status = VGG_OK;
    for (size_t i = 0; i < checkpoint->parts.count && status == VGG_OK; i++) {
        struct vgg_verified part = {0};
        status = verify_part(checkpoint, &checkpoint->parts.items[i], &part, err);
        done.sha256 = done.sha256 && part.sha256;
        done.crc_checked += part.crc_checked;
        done.crc_missing += part.crc_missing;
        done.unverified += !part.sha256 && part.crc_checked == 0;
    }
    if (status == VGG_OK && out != NULL) {
        *out = done;
    }
    return status;
}
