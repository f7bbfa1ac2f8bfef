#pragma once
/* The hash slot of a key in a Redis cluster.
 *
 * Thread: pure functions.
 * Source: Redis cluster specification, "Key distribution model" and "Hash tags". The CRC is XMODEM's (polynomial 1021,
 * begins with 0, nothing reflected). */

#include <stdint.h>

#include "base/slice.h"

#define SLOTS 16384

uint16_t crc16(struct slice bytes);
/* The slot is that of what stands between the first '{' and the first '}' behind it. When that is empty it is that of
 * the whole key. */
uint16_t key_slot(struct slice key);
