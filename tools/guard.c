/* A checkpoint whose file is shortened while it is mapped: an explanation instead of a bare SIGBUS. */
#include "guard.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "message.h"

/* What the handler needs, made before it can run. */
static char text[1024];
static size_t text_bytes;
static _Atomic(const vgg_checkpoint *) watched; /* NULL: being opened */
static struct sigaction before;
static bool begun;

/* Hands a signal on to whoever handled it before; the default is to run into it once more and die. */
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
    ssize_t written = write(STDERR_FILENO, text, text_bytes);
    (void)written; /* there is nobody to tell */
    _exit(EXIT_MODEL);
}

static void make_text(const char *path)
{
    FILE *out = fmemopen(text, sizeof text, "w");
    text_bytes = 0;
    if (out != NULL) {
        fputs("vgg-infer: ", out);
        message_write_visible(out, path);
        fputs(
            ": expected the file to stay as it was when it was opened, found it shortened, or its "
            "disk failing\n",
            out);
        long end = ftell(out);
        fclose(out);
        text_bytes = end > 0 ? (size_t)end : 0;
    }
}

void guard_begin(const char *path)
{
    struct sigaction action = {.sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO};
    sigemptyset(&action.sa_mask);
    make_text(path);
    atomic_store(&watched, NULL);
    begun = sigaction(SIGBUS, &action, &before) == 0;
}

void guard_watch(const vgg_checkpoint *checkpoint)
{
    atomic_store(&watched, checkpoint);
}

void guard_end(void)
{
    if (begun) {
        sigaction(SIGBUS, &before, NULL);
        begun = false;
    }
}
