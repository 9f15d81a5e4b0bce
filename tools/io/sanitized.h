/* SPDX-License-Identifier: MIT */
/* SANITIZED: whether this build has a sanitizer, which looks for leaks with ptrace and writes where it likes. */
#ifndef TOOLS_IO_SANITIZED_H
#define TOOLS_IO_SANITIZED_H

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||                         \
    __has_feature(memory_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

#endif
