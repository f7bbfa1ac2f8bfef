/* Planted: a key is forgotten as soon as it is stored, while the replay window still knows its cells. */
#include "owed/keys.h"

bool __real_keys_may_leave(const struct keys *k, uint32_t key, uint64_t now_ms, uint64_t idle_ms);
bool __wrap_keys_may_leave(const struct keys *k, uint32_t key, uint64_t now_ms, uint64_t idle_ms);

bool __wrap_keys_may_leave(const struct keys *k, uint32_t key, uint64_t now_ms, uint64_t idle_ms)
{
    (void)idle_ms;
    return __real_keys_may_leave(k, key, now_ms, 0);
}
