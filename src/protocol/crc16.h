#pragma once
/* The hash slot of a key in a Redis cluster.
 *
 * Thread: pure functions.
 * Source: Redis cluster specification, "Key distribution model" and "Hash tags"; the CRC is XMODEM's (polynomial 1021,
 * begins with 0, nothing reflected). */

#include <stdint.h>

#include "base/slice.h"

#define SLOTS 16384

uint16_t crc16(struct slice bytes);
/* Of what is between the first '{' and the first '}' behind it, when that is not empty; else of the whole key. */
uint16_t key_slot(struct slice key);
