/* SPDX-License-Identifier: MIT */
/* Tile instructions as a signal handler finds them: decoded, executed by the model, and skipped. */
#include "tile_trap.h"

#include "base/cpu.h"

#if defined(__x86_64__)
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

#include "tile_unit.h"

static volatile sig_atomic_t count;

/* An instruction: VEX prefix, opcode, ModRM, and SIB with a displacement where it reads or writes memory. All tile
 * instructions have the three bytes of prefix C4, and opcodes of map 0F38. */
struct instruction {
    int prefix, opcode;
    int reg, rm, third; /* the tiles that it names, or what ModRM has in their place */
    bool memory;
    const char *base;
    ptrdiff_t stride;
    const uint8_t *end;
};
enum { NONE, P66, PF3, PF2 }; /* values of prefix */

static int64_t read_register(const greg_t *registers, int number)
{
    static const int places[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP,
                                   REG_RSI, REG_RDI, REG_R8,  REG_R9,  REG_R10, REG_R11,
                                   REG_R12, REG_R13, REG_R14, REG_R15};
    return registers[places[number]];
}

/* ModRM and what follows; ones are missing in the prefix's bits that extend the numbers of registers.
 *   p  at ModRM */
static bool read_address(const uint8_t *p, int extension, const greg_t *registers,
                         struct instruction *out)
{
    enum { SP = 4, BP = 5 }; /* numbers that stand for something else */
    const int mode = *p >> 6, high_base = (extension & 0x20) != 0 ? 0 : 8;
    int base = out->rm | high_base, index = SP, scale = 0;
    int32_t displacement = 0;
    p++;
    if (out->rm == SP) {
        base = (*p & 7) | high_base;
        index = (*p >> 3 & 7) | ((extension & 0x40) != 0 ? 0 : 8);
        scale = *p++ >> 6;
    }
    if (mode == 0 && base % 8 == BP) {
        return false; /* relative to the program, or absolute: compilers have no use for it here */
    }
    if (mode == 1) {
        displacement = (int8_t)*p++;
    } else if (mode == 2) {
        memcpy(&displacement, p, sizeof displacement);
        p += sizeof displacement;
    }
    out->base = (const char *)(read_register(registers, base) + displacement);
    out->stride = index == SP ? 0 : (ptrdiff_t)read_register(registers, index) << scale;
    out->end = p;
    return true;
}

static bool decode(const uint8_t *p, const greg_t *registers, struct instruction *out)
{
    if (p[0] != 0xc4 || (p[1] & 0x1f) != 2) {
        return false;
    }
    *out = (struct instruction){.prefix = p[2] & 3,
                                .opcode = p[3],
                                .third = ~(p[2] >> 3) & 15,
                                .reg = p[4] >> 3 & 7,
                                .rm = p[4] & 7,
                                .memory = p[4] < 0xc0,
                                .end = p + 5};
    return !out->memory || read_address(p + 4, p[1], registers, out);
}

static bool execute(const struct instruction *i)
{
    switch (i->opcode << 8 | i->memory << 4 | i->prefix) {
    case 0x4910 | NONE:
        tile_unit_loadconfig(i->base + i->stride);
        return true;
    case 0x4900 | NONE:
        tile_unit_release();
        return true;
    case 0x4900 | PF2:
        tile_unit_zero(i->reg);
        return true;
    case 0x4b10 | PF2:
        tile_unit_loadd(i->reg, i->base, i->stride);
        return true;
    case 0x4b10 | PF3:
        tile_unit_stored(i->reg, (char *)(uintptr_t)i->base, i->stride);
        return true;
    case 0x5c00 | PF3:
        tile_unit_dpbf16ps(i->reg, i->rm, i->third);
        return true;
    case 0x5e00 | P66:
        tile_unit_dpbusd(i->reg, i->rm, i->third);
        return true;
    default:
        return false;
    }
}

static void handle(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)info;
    greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
    const uint8_t *at = (const uint8_t *)registers[REG_RIP];
    struct instruction instruction;
    if (!decode(at, registers, &instruction) || !execute(&instruction)) {
        static const char text[] =
            "tile trap: expected a tile instruction, got another illegal one\n";
        (void)!write(STDERR_FILENO, text, sizeof text - 1);
        abort();
    }
    registers[REG_RIP] += instruction.end - at;
    count++;
}

bool tile_trap_install(void)
{
    const struct sigaction action = {.sa_sigaction = handle, .sa_flags = SA_SIGINFO};
    return vgg_isa_is_available(VGG_ISA_AVX512) && !vgg_isa_is_available(VGG_ISA_AMX) &&
           sigaction(SIGILL, &action, NULL) == 0;
}

long tile_trap_count(void)
{
    return count;
}
#else
bool tile_trap_install(void)
{
    return false;
}

long tile_trap_count(void)
{
    return 0;
}
#endif
