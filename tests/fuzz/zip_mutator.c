/* SPDX-License-Identifier: MIT */
/* Changes one member of a zip archive, most often the pickle, and builds a good archive round it. */
#include <stdlib.h>

#include "mutator.h"

enum { MEMBERS_MAX = 16, LOCAL = 30, CENTRAL = 46, END = 22, DESCRIPTOR = 16, OVERHEAD = 64 };

struct member {
    const uint8_t *central, *name, *data;
    size_t name_bytes, data_bytes;
};

/* Takes an archive apart that is good but for its pickle; false when it is not. */
static bool read_members(const uint8_t *data, size_t size, struct member *members, size_t *count)
{
    if (size < END || memcmp(data + size - END, "PK\5\6", 4) != 0) {
        return false;
    }
    size_t at = get_le(data + size - 6, 4);
    *count = get_le(data + size - 12, 2);
    if (*count == 0 || *count > MEMBERS_MAX) {
        return false;
    }
    for (size_t i = 0; i < *count; i++) {
        struct member *m = &members[i];
        m->central = data + at;
        if (at > size || size - at < CENTRAL) {
            return false;
        }
        size_t offset = get_le(m->central + 42, 4);
        m->name = m->central + CENTRAL;
        m->name_bytes = get_le(m->central + 28, 2);
        m->data_bytes = get_le(m->central + 20, 4);
        at += CENTRAL + m->name_bytes + get_le(m->central + 30, 2) + get_le(m->central + 32, 2);
        if (at > size || offset > size || size - offset < LOCAL) {
            return false;
        }
        offset += LOCAL + get_le(data + offset + 26, 2) + get_le(data + offset + 28, 2);
        m->data = data + offset;
        if (offset > size || m->data_bytes > size - offset) {
            return false;
        }
    }
    return true;
}

static uint8_t *append(uint8_t *at, const void *bytes, size_t count)
{
    memcpy(at, bytes, count);
    return at + count;
}

/* Flags to sizes, as the directory and a local header without descriptor share them. */
static uint8_t *append_fields(uint8_t *at, const struct member *m)
{
    bool stored = get_le(m->central + 10, 2) == 0;
    set_le(at, get_le(m->central + 8, 2) & ~8u, 2);
    set_le(at + 2, get_le(m->central + 10, 2), 2);
    set_le(at + 4, 0, 4);
    set_le(at + 8, stored ? crc32_of(m->data, m->data_bytes) : get_le(m->central + 16, 4), 4);
    set_le(at + 12, m->data_bytes, 4);
    set_le(at + 16, stored ? m->data_bytes : get_le(m->central + 24, 4), 4);
    return at + 20;
}

static size_t write_members(const struct member *members, size_t count, uint8_t *out)
{
    uint32_t offsets[MEMBERS_MAX];
    uint8_t *at = out;
    for (size_t i = 0; i < count; i++) {
        offsets[i] = (uint32_t)(at - out);
        at = append(at, "PK\3\4\0\0", 6);
        at = append_fields(at, &members[i]);
        set_le(at, members[i].name_bytes, 4);
        at = append(at + 4, members[i].name, members[i].name_bytes);
        at = append(at, members[i].data, members[i].data_bytes);
    }
    uint8_t *directory = at;
    for (size_t i = 0; i < count; i++) {
        at = append(at, "PK\1\2\0\0\0\0", 8);
        at = append_fields(at, &members[i]);
        memset(at, 0, 14);
        set_le(at, members[i].name_bytes, 2);
        set_le(at + 14, offsets[i], 4);
        at = append(at + 18, members[i].name, members[i].name_bytes);
    }
    size_t bytes = (size_t)(at - directory);
    at = append(at, "PK\5\6\0\0\0\0", 8);
    set_le(at, count, 2);
    set_le(at + 2, count, 2);
    set_le(at + 4, bytes, 4);
    set_le(at + 8, (uint64_t)(directory - out), 4);
    set_le(at + 12, 0, 2);
    return (size_t)(at + 14 - out);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed)
{
    struct member members[MEMBERS_MAX];
    size_t count;
    if (seed % 2 == 0 || !read_members(data, size, members, &count)) {
        return LLVMFuzzerMutate(data, size, most);
    }
    struct member *changed = &members[seed / 2 % 4 != 0 ? 0 : seed / 8 % count];
    size_t total = END;
    for (size_t i = 0; i < count; i++) {
        total += OVERHEAD + LOCAL + 2 * members[i].name_bytes + members[i].data_bytes;
    }
    size_t room = changed->data_bytes + (total < most ? most - total : 0);
    uint8_t *content = malloc(room + 1), *out = malloc(total + room);
    memcpy(content, changed->data, changed->data_bytes);
    changed->data_bytes = LLVMFuzzerMutate(content, changed->data_bytes, room);
    changed->data = content;
    size_t written = write_members(members, count, out);
    if (written <= most) {
        memcpy(data, out, written);
        size = written;
    }
    free(content);
    free(out);
    return size;
}
