/* Planted: a key that the server refuses goes back into the next batch, and the next, and the next. */
#include "owed/keys.h"

void __real_keys_hold(struct keys *k, uint32_t key, uint64_t hits);
void __wrap_keys_hold(struct keys *k, uint32_t key, uint64_t hits);

void __wrap_keys_hold(struct keys *k, uint32_t key, uint64_t hits)
{
    __real_keys_hold(k, key, hits);
    keys_release_held(k);
}
