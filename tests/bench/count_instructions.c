/* SPDX-License-Identifier: MIT */
/* A plugin for qemu-user that counts the instructions of a process by function. When the process ends, it logs a line
 * "name count" for each function; functions without a symbol are counted as "-".
 *
 * Built by neon.py. The prototypes are those of QEMU's plugin interface, version 1, whose header is in no Debian package.
 * Counts of processes with several threads may be too low. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define PUBLIC __attribute__((visibility("default")))

typedef uint64_t plugin_id;
struct qemu_info;
struct block;
struct instruction;
enum { INLINE_ADD_U64 = 0 };

void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id id,
                                           void (*translate)(plugin_id, struct block *));
void qemu_plugin_register_vcpu_tb_exec_inline(struct block *block, int operation, void *counter,
                                              uint64_t by);
void qemu_plugin_register_atexit_cb(plugin_id id, void (*end)(plugin_id, void *), void *user);
size_t qemu_plugin_tb_n_insns(const struct block *block);
struct instruction *qemu_plugin_tb_get_insn(const struct block *block, size_t index);
const char *qemu_plugin_insn_symbol(const struct instruction *instruction);
void qemu_plugin_outs(const char *text);

PUBLIC int qemu_plugin_version = 1;

enum { MOST_FUNCTIONS = 8192 };
static struct {
    char name[96];
    uint64_t count;
} functions[MOST_FUNCTIONS];
static int function_count;

static uint64_t *counter_of(const char *name)
{
    for (int i = 0; i < function_count; i++) {
        if (strncmp(functions[i].name, name, sizeof functions[i].name - 1) == 0) {
            return &functions[i].count;
        }
    }
    if (function_count == MOST_FUNCTIONS) {
        return &functions[0].count;
    }
    strncpy(functions[function_count].name, name, sizeof functions[0].name - 1);
    return &functions[function_count++].count;
}

/* Blocks end at jumps, so a block belongs to the function of its first instruction. */
static void count_block(plugin_id id, struct block *block)
{
    (void)id;
    const char *name = qemu_plugin_insn_symbol(qemu_plugin_tb_get_insn(block, 0));
    qemu_plugin_register_vcpu_tb_exec_inline(block, INLINE_ADD_U64,
                                             counter_of(name != NULL ? name : "-"),
                                             qemu_plugin_tb_n_insns(block));
}

static void print_counts(plugin_id id, void *user)
{
    (void)id;
    (void)user;
    char line[128];
    for (int i = 0; i < function_count; i++) {
        snprintf(line, sizeof line, "%.95s %" PRIu64 "\n", functions[i].name, functions[i].count);
        qemu_plugin_outs(line);
    }
}

PUBLIC int qemu_plugin_install(plugin_id id, const struct qemu_info *info, int argc, char **argv)
{
    (void)info;
    (void)argc;
    (void)argv;
    counter_of("-");
    qemu_plugin_register_vcpu_tb_trans_cb(id, count_block);
    qemu_plugin_register_atexit_cb(id, print_counts, NULL);
    return 0;
}
