#pragma once
/* SipHash-1-3 (Aumasson, Bernstein: "SipHash: a fast short-input PRF", 2012), 64-bit output.
 * Keyed, because the names it hashes come from the network. */

#include <stddef.h>
#include <stdint.h>

struct siphash_key {
    uint64_t k0, k1;
};

uint64_t siphash13(const struct siphash_key *key, const void *data, size_t bytes);
