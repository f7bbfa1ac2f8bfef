/* Preloaded into tallyd: its allocations fail when the test says so, in a file that both have mapped (FAIL_MEMORY).
 * malloc() and its kin, the libraries' too, and anonymous mmap(), by which the program reserves its tables.
 *
 * Thread: allocations come from any; the words are atomic. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

struct plan {
    _Atomic uint64_t calls; /* so far */
    _Atomic uint64_t first; /* the number of the first that fails */
    _Atomic uint64_t last;  /* and of the last; 0: none fails */
};

static struct plan nothing;
static struct plan *plan = &nothing;

extern void *__libc_malloc(size_t bytes);
extern void *__libc_calloc(size_t count, size_t bytes);
extern void *__libc_realloc(void *old, size_t bytes);
extern void *__libc_memalign(size_t alignment, size_t bytes);

static _Thread_local bool spared;

static bool fails(void)
{
    if (spared)
        return false;
    uint64_t number = atomic_fetch_add(&plan->calls, 1) + 1;
    uint64_t first = atomic_load(&plan->first);

    if (number < first || number > atomic_load(&plan->last))
        return false;
    errno = ENOMEM;
    return true;
}

void *malloc(size_t bytes) { return fails() ? NULL : __libc_malloc(bytes); }
void *calloc(size_t count, size_t bytes) { return fails() ? NULL : __libc_calloc(count, bytes); }
void *realloc(void *old, size_t bytes) { return fails() ? NULL : __libc_realloc(old, bytes); }
void *aligned_alloc(size_t alignment, size_t bytes) { return fails() ? NULL : __libc_memalign(alignment, bytes); }

int posix_memalign(void **out, size_t alignment, size_t bytes)
{
    void *at = aligned_alloc(alignment, bytes);

    if (!at)
        return ENOMEM;
    *out = at;
    return 0;
}

static void *map(void *at, size_t bytes, int protection, int flags, int fd, off_t offset)
{
    return (void *)syscall(SYS_mmap, at, bytes, protection, flags, fd, offset);
}

void *mmap(void *at, size_t bytes, int protection, int flags, int fd, off_t offset)
{
    return fd < 0 && fails() ? MAP_FAILED : map(at, bytes, protection, flags, fd, offset);
}

/* libseccomp 2.5.4 dereferences NULL, or frees twice, when one of its allocations fails while it makes the program for
 * the kernel: not ours to mend, and never seen by clients, for it is done at the end of the start. */
int seccomp_load(void *filter)
{
    int (*real)(void *) = (int (*)(void *))(uintptr_t)dlsym(RTLD_NEXT, "seccomp_load");

    spared = true;
    int result = real(filter);
    spared = false;
    return result;
}

/* Nothing fails before main(): what runs until then is the loader's. */
__attribute__((constructor)) static void plan_open(void)
{
    int fd = open(getenv("FAIL_MEMORY"), O_RDWR | O_CLOEXEC);
    void *at = fd < 0 ? MAP_FAILED : map(NULL, sizeof(*plan), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    if (at == MAP_FAILED)
        abort();
    close(fd);
    plan = at;
}
