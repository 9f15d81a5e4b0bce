/* SPDX-License-Identifier: MIT */
/* An allocator that fails on demand.
 *
 * With a sanitizer, which has its own allocator, the linker's --wrap puts these functions between the
 * project's code and it (FAULT_WRAP); without, they replace malloc for the libraries too. */
#include <errno.h>
#include <stdlib.h>

#include <cjson/cJSON.h>

#include "fuzz.h"

#ifdef FAULT_WRAP
#define NAME(function) __wrap_##function
#define REAL(function) __real_##function
#else
#define NAME(function) function
#define REAL(function) __libc_##function
#endif

void *REAL(malloc)(size_t bytes);
void *REAL(calloc)(size_t count, size_t bytes);
void *REAL(realloc)(void *block, size_t bytes);
void *REAL(memalign)(size_t alignment, size_t bytes);
#pragma GCC visibility push(default)
void *NAME(malloc)(size_t bytes);
void *NAME(calloc)(size_t count, size_t bytes);
void *NAME(realloc)(void *block, size_t bytes);
void *NAME(aligned_alloc)(size_t alignment, size_t bytes);
int NAME(posix_memalign)(void **out, size_t alignment, size_t bytes);
#pragma GCC visibility pop

static uint64_t done, failing;

void fault_arm(uint64_t nth)
{
    done = 0;
    failing = nth;
}

uint64_t fault_disarm(void)
{
    failing = 0;
    return done;
}

static bool fails(void)
{
    done++;
    if (done != failing) {
        return false;
    }
    errno = ENOMEM;
    return true;
}

void *NAME(malloc)(size_t bytes)
{
    return fails() ? NULL : REAL(malloc)(bytes);
}

void *NAME(calloc)(size_t count, size_t bytes)
{
    return fails() ? NULL : REAL(calloc)(count, bytes);
}

void *NAME(realloc)(void *block, size_t bytes)
{
    return fails() ? NULL : REAL(realloc)(block, bytes);
}

#ifdef FAULT_WRAP
void *__real_aligned_alloc(size_t alignment, size_t bytes);
#define REAL_ALIGNED __real_aligned_alloc
#else
#define REAL_ALIGNED __libc_memalign
#endif

void *NAME(aligned_alloc)(size_t alignment, size_t bytes)
{
    return fails() ? NULL : REAL_ALIGNED(alignment, bytes);
}

int NAME(posix_memalign)(void **out, size_t alignment, size_t bytes)
{
    void *block = NAME(aligned_alloc)(alignment, bytes);
    *out = block != NULL ? block : *out;
    return block != NULL ? 0 : ENOMEM;
}

#ifdef FAULT_WRAP
/* cJSON lies in a shared library, out of --wrap's reach. */
static void free_block(void *block)
{
    free(block);
}

__attribute__((constructor)) static void hook_cjson(void)
{
    cJSON_Hooks hooks = {.malloc_fn = NAME(malloc), .free_fn = free_block};
    cJSON_InitHooks(&hooks);
}
#endif
