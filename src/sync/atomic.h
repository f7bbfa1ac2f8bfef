#pragma once
/* Loads and stores by which threads talk, made of Concurrency Kit's ck_pr. None has a LOCK prefix, but fetch_add_u32()
 * and cas_u32().
 *
 * Thread: any. Each call names its partner in a comment.
 * ThreadSanitizer does not see ck's inline assembly, so the acquire and release forms tell it of the edge that they
 * make. What ck copies itself, the slots of a ring, stands between SYNC_CK_BEGIN() and SYNC_CK_END(), and the edge is
 * told apart from it. */

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

/* The one read-modify-write. It locks the bus, so it is for numbers that hardly change. Returns the value before. */
static inline uint32_t fetch_add_u32(uint32_t *p, uint32_t n) { return ck_pr_faa_32(p, n); }
/* Whether it was `from`, and is `to` now. */
static inline bool cas_u32(uint32_t *p, uint32_t from, uint32_t to) { return ck_pr_cas_32(p, from, to); }

/* Makes an acquire of a relaxed load of `*p` that came before. It is for loads that are mostly thrown away. */
static inline void fence_acquire(const void *p)
{
    ck_pr_fence_acquire();
    SYNC_ACQUIRED(p);
}

/* Orders the loads before it before the loads after it. */
static inline void fence_loads(void) { ck_pr_fence_load(); }
/* Orders the stores before it before the stores after it. */
static inline void fence_stores(void) { ck_pr_fence_store(); }

/* A statistic. One thread adds, and any thread reads a recent value. */
static inline void stat_add(uint64_t *p, uint64_t n) { store_relaxed_u64(p, *p + n); }
static inline uint64_t stat_read(const uint64_t *p) { return load_relaxed_u64(p); }
