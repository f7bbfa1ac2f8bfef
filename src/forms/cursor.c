#include "forms/cursor.h"

#include <inttypes.h>

#define NUMBERS_MAX (4 + 2 * SCAN_PARTITION_WORDS)
#define DIGITS_MAX 16

/* Words that say anything; the others are left out. */
static uint32_t words_used(const struct scan_place *place)
{
    uint32_t words = SCAN_PARTITION_WORDS;
    while (words > 0 && !place->done[words - 1] && !place->under_way[words - 1])
        words--;
    return words;
}

void cursor_append(struct buf *b, const struct scan_place *place)
{
    buf_printf(b, "%" PRIx64 ".%" PRIx64 ".%" PRIx32 ".%" PRIx32, place->cursor, place->server, place->taken,
               place->sum);
    for (uint32_t i = 0; i < words_used(place); i++)
        buf_printf(b, ".%" PRIx64 ".%" PRIx64, place->done[i], place->under_way[i]);
}

static int digit_of(char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; }

/* The number in front of the next dot, or of the end. */
static bool number_take(struct slice *text, uint64_t *out)
{
    uint64_t value = 0;
    size_t digits = 0;
    for (; digits < text->bytes && text->at[digits] != '.'; digits++) {
        int digit = digit_of(text->at[digits]);
        if (digit < 0 || digits == DIGITS_MAX)
            return false;
        value = value << 4 | (uint64_t)digit;
    }
    bool more = digits < text->bytes;
    if (digits == 0 || (more && digits + 1 == text->bytes))
        return false;
    text->at += digits + more;
    text->bytes -= digits + more;
    *out = value;
    return true;
}

bool cursor_read(struct slice text, struct scan_place *place)
{
    uint64_t numbers[NUMBERS_MAX] = {0};
    uint32_t count = 0;
    for (; text.bytes > 0 && count < NUMBERS_MAX; count++)
        if (!number_take(&text, &numbers[count]))
            return false;
    if (text.bytes > 0 || count < 4 || count % 2 != 0 || numbers[2] > UINT32_MAX || numbers[3] > UINT32_MAX)
        return false;
    *place = (struct scan_place){
        .cursor = numbers[0], .server = numbers[1], .taken = (uint32_t)numbers[2], .sum = (uint32_t)numbers[3]};
    for (uint32_t i = 0; i < SCAN_PARTITION_WORDS; i++) {
        place->done[i] = numbers[4 + 2 * i];
        place->under_way[i] = numbers[5 + 2 * i];
    }
    return true;
}
