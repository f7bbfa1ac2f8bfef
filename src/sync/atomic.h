#pragma once
/* The only words by which threads talk: loads and stores of Concurrency Kit (ck_pr), no LOCK prefix.
 *
 * Every use names its partner in a comment at the call. TSan does not see ck's inline assembly,
 * so the acquire and release forms also tell it of the edge they make, and what ck copies itself
 * (the slots of a ring) is wrapped in SYNC_CK_BEGIN and SYNC_CK_END, the edge being told apart. */

#include <ck_pr.h>
#include <stdint.h>

#if defined(__SANITIZE_THREAD__)
#define SYNC_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SYNC_TSAN 1
#endif
#endif

#ifdef SYNC_TSAN
void __tsan_acquire(void *address);
void __tsan_release(void *address);
void __tsan_ignore_thread_begin(void);
void __tsan_ignore_thread_end(void);
#define SYNC_ACQUIRED(p) __tsan_acquire((void *)(uintptr_t)(p))
#define SYNC_RELEASING(p) __tsan_release((void *)(uintptr_t)(p))
#define SYNC_CK_BEGIN() __tsan_ignore_thread_begin()
#define SYNC_CK_END() __tsan_ignore_thread_end()
#else
#define SYNC_ACQUIRED(p) ((void)(p))
#define SYNC_RELEASING(p) ((void)(p))
#define SYNC_CK_BEGIN() ((void)0)
#define SYNC_CK_END() ((void)0)
#endif

static inline uint64_t load_relaxed_u64(const uint64_t *p) { return ck_pr_load_64(p); }
static inline void store_relaxed_u64(uint64_t *p, uint64_t v) { ck_pr_store_64(p, v); }
static inline uint32_t load_relaxed_u32(const uint32_t *p) { return ck_pr_load_32(p); }
static inline void store_relaxed_u32(uint32_t *p, uint32_t v) { ck_pr_store_32(p, v); }
static inline uint8_t load_relaxed_u8(const uint8_t *p) { return ck_pr_load_8(p); }
static inline void store_relaxed_u8(uint8_t *p, uint8_t v) { ck_pr_store_8(p, v); }

static inline uint64_t load_acquire_u64(const uint64_t *p)
{
    uint64_t v = ck_pr_load_64(p);
    ck_pr_fence_acquire();
    SYNC_ACQUIRED(p);
    return v;
}

static inline void store_release_u64(uint64_t *p, uint64_t v)
{
    SYNC_RELEASING(p);
    ck_pr_fence_release();
    ck_pr_store_64(p, v);
}

static inline uint32_t load_acquire_u32(const uint32_t *p)
{
    uint32_t v = ck_pr_load_32(p);
    ck_pr_fence_acquire();
    SYNC_ACQUIRED(p);
    return v;
}

static inline void store_release_u32(uint32_t *p, uint32_t v)
{
    SYNC_RELEASING(p);
    ck_pr_fence_release();
    ck_pr_store_32(p, v);
}

static inline void *load_acquire_ptr(void *const *p)
{
    void *v = ck_pr_load_ptr(p);
    ck_pr_fence_acquire();
    SYNC_ACQUIRED(p);
    return v;
}

static inline void store_release_ptr(void **p, void *v)
{
    SYNC_RELEASING(p);
    ck_pr_fence_release();
    ck_pr_store_ptr(p, v);
}

/* The one read-modify-write (it locks the bus): for numbers that hardly ever change. Returns the value before. */
static inline uint32_t fetch_add_u32(uint32_t *p, uint32_t n) { return ck_pr_faa_32(p, n); }

/* Makes an acquire of a relaxed load of `*p` that was done before: for loads that are mostly thrown away. */
static inline void fence_acquire(const void *p)
{
    ck_pr_fence_acquire();
    SYNC_ACQUIRED(p);
}

/* Loads before it are done before any load after it. */
static inline void fence_loads(void) { ck_pr_fence_load(); }

/* A statistic: one thread adds, any thread reads a recent value. */
static inline void stat_add(uint64_t *p, uint64_t n) { store_relaxed_u64(p, *p + n); }
static inline uint64_t stat_read(const uint64_t *p) { return load_relaxed_u64(p); }
