/* Planted: what waits for more hits is not woken when the process is to end. */
#include "owed/keys.h"

void __wrap_keys_wake_all(struct keys *k);

void __wrap_keys_wake_all(struct keys *k) { (void)k; }
