#include "protocol/crc16.h"

/* Bit by bit: it runs for a few thousand tags when tallyd starts, never for a hit. */
uint16_t crc16(struct slice bytes)
{
    uint16_t crc = 0;

    for (size_t i = 0; i < bytes.bytes; i++) {
        crc ^= (uint16_t)((uint8_t)bytes.at[i] << 8);
        for (int bit = 0; bit < 8; bit++)
            crc = (uint16_t)(crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1);
    }
    return crc;
}

uint16_t key_slot(struct slice key)
{
    const char *end = key.at + key.bytes, *open = key.bytes ? memchr(key.at, '{', key.bytes) : NULL;
    const char *close = open ? memchr(open, '}', (size_t)(end - open)) : NULL;

    if (close && close > open + 1)
        key = (struct slice){open + 1, (size_t)(close - open - 1)};
    return crc16(key) % SLOTS;
}
