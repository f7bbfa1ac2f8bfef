/* Planted: a key with few hits waits for more, however long that takes. */
#include "owed/keys.h"

void __wrap_keys_wake_rested(struct keys *k);

void __wrap_keys_wake_rested(struct keys *k) { (void)k; }
