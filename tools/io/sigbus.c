/* SPDX-License-Identifier: MIT */
/* Print a message and exit when a mapped checkpoint is shortened, instead of dying of SIGBUS. */
#include "io/sigbus.h"

#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#include "io/message.h"

/* What the handler needs, made before it can run. */
static char line[MESSAGE_LINE_BYTES];
static size_t line_bytes;
static _Atomic(const vgg_checkpoint *) watched; /* NULL: being opened */
static struct sigaction before;
static bool begun;

/* Calls the handler that was there before. The default action is restored, so that the same fault happens again
 * and ends the process. */
static void hand_on(int signal, siginfo_t *info, void *context)
{
    if ((before.sa_flags & SA_SIGINFO) != 0) {
        before.sa_sigaction(signal, info, context);
    } else if (before.sa_handler != SIG_DFL && before.sa_handler != SIG_IGN) {
        before.sa_handler(signal);
    } else {
        sigaction(SIGBUS, &before, NULL);
    }
}

/* Only what is safe in a signal handler: write and _exit. */
static void on_bus_error(int signal, siginfo_t *info, void *context)
{
    const vgg_checkpoint *checkpoint = atomic_load(&watched);
    if (checkpoint != NULL && !vgg_checkpoint_owns(checkpoint, info->si_addr)) {
        hand_on(signal, info, context);
        return;
    }
    message_write(line, line_bytes);
    _exit(EXIT_MODEL);
}

void sigbus_begin(const char *path)
{
    struct sigaction action = {.sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO};
    sigemptyset(&action.sa_mask);
    line_bytes =
        message_make_line(line,
                          "%s: expected the file to keep its size, got a read error: it was "
                          "shortened, or its disk fails",
                          path);
    atomic_store(&watched, NULL);
    begun = sigaction(SIGBUS, &action, &before) == 0;
}

void sigbus_watch(const vgg_checkpoint *checkpoint)
{
    atomic_store(&watched, checkpoint);
}

void sigbus_end(void)
{
    if (begun) {
        sigaction(SIGBUS, &before, NULL);
        begun = false;
    }
}
