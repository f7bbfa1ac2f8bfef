#pragma once
/* SipHash-1-3 with 64 bits of output. It is keyed, because the names that it hashes come from the network.
 *
 * Thread: a pure function.
 * Source: Aumasson and Bernstein, "SipHash, a fast short-input PRF", 2012. */

#include <stddef.h>
#include <stdint.h>

struct siphash_key {
    uint64_t k0, k1;
};

uint64_t siphash13(const struct siphash_key *key, const void *data, size_t bytes);
