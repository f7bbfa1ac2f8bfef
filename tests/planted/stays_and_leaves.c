/* Planted: a cell that was hit while its key was to be forgotten stays, but goes on being one that leaves. */
#include "owed/keys.h"

void __wrap_keys_cell_stays(struct keys *k, key_cell cell);

void __wrap_keys_cell_stays(struct keys *k, key_cell cell) { (void)k, (void)cell; }
