/* Preloaded into tallyd: kills it, as kill -9 does, before the CRASH_AT-th store of its process into the state file.
 *
 * The file's mapping is given out read-only. A store faults, is counted, and runs as a single step with its pages
 * writable; the trap behind it protects them again. A second thread may slip a store uncounted into that step, so
 * counts differ a little from run to run. At the end CRASH_COUNT, a file, gets how many stores there were.
 * CRASH_CONTROL, a file of 16 bytes, holds both numbers while the process runs: whoever maps it sees the stores, and
 * says before which of them it dies.
 *
 * Thread: handlers run on whichever thread stores; what they share is atomic or constant by then. */
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#define PAGE 4096u
#define TRAP_FLAG 0x100 /* of EFLAGS: trap after the next instruction (Intel SDM vol. 3, 17.3.2) */
#define STORE_BYTES_MAX 64u

static char *state;
static size_t state_bytes;
static struct control {
    _Atomic long stores;
    _Atomic long crash_at; /* 0: never */
} own, *control = &own;
static _Thread_local char *opened; /* the pages that this thread may write for one step */

static void protect(char *page, int protection)
{
    size_t bytes = page + PAGE < state + state_bytes ? 2 * PAGE : PAGE; /* a store may cross into the next page */

    mprotect(page, bytes, protection);
}

static void on_fault(int number, siginfo_t *info, void *context)
{
    char *at = info->si_addr;
    ucontext_t *c = context;

    if (at < state || at >= state + state_bytes) { /* a real one: again, without us */
        signal(number, SIG_DFL);
        return;
    }
    if (!opened && atomic_fetch_add(&control->stores, 1) + 1 == control->crash_at)
        raise(SIGKILL); /* kill(2) is not among what the sandbox lets through */
    opened = state + (size_t)(at - state) / PAGE * PAGE;
    protect(opened, PROT_READ | PROT_WRITE);
    c->uc_mcontext.gregs[REG_EFL] |= TRAP_FLAG;
}

static void on_step(int number, siginfo_t *info, void *context)
{
    ucontext_t *c = context;

    (void)number, (void)info;
    if (opened)
        protect(opened, PROT_READ);
    opened = NULL;
    c->uc_mcontext.gregs[REG_EFL] &= ~TRAP_FLAG;
}

static bool is_state_file(int fd)
{
    char link[64], path[PAGE];

    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ssize_t bytes = readlink(link, path, sizeof(path) - 1);
    path[bytes > 0 ? bytes : 0] = '\0';
    return strstr(path, "/tallyd.state");
}

void *mmap(void *at, size_t bytes, int protection, int flags, int fd, off_t offset)
{
    void *(*real)(void *, size_t, int, int, int, off_t) = dlsym(RTLD_NEXT, "mmap");
    struct sigaction fault = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_NODEFER};
    struct sigaction step = {.sa_sigaction = on_step, .sa_flags = SA_SIGINFO | SA_NODEFER};

    if (fd < 0 || !(protection & PROT_WRITE) || !is_state_file(fd))
        return real(at, bytes, protection, flags, fd, offset);
    const char *path = getenv("CRASH_CONTROL");
    int control_fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (control_fd >= 0) {
        control = real(NULL, sizeof(*control), PROT_READ | PROT_WRITE, MAP_SHARED, control_fd, 0);
        close(control_fd);
    }
    if (control == MAP_FAILED)
        abort();
    control->crash_at = atol(getenv("CRASH_AT"));
    state_bytes = bytes;
    state = real(at, bytes, PROT_READ, flags, fd, offset);
    sigaction(SIGSEGV, &fault, NULL);
    sigaction(SIGTRAP, &step, NULL);
    return state;
}

/* A thread that blocks all signals must still take ours. */
int pthread_sigmask(int how, const sigset_t *set, sigset_t *old)
{
    int (*real)(int, const sigset_t *, sigset_t *) = dlsym(RTLD_NEXT, "pthread_sigmask");
    sigset_t less;

    if (!set || how == SIG_UNBLOCK)
        return real(how, set, old);
    less = *set;
    sigdelset(&less, SIGSEGV);
    sigdelset(&less, SIGTRAP);
    return real(how, &less, old);
}

__attribute__((destructor)) static void say_how_many(void)
{
    const char *path = getenv("CRASH_COUNT");
    int fd = path ? open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600) : -1;

    if (fd >= 0 && control->stores) {
        dprintf(fd, "%ld\n", (long)control->stores);
        close(fd);
    }
}
