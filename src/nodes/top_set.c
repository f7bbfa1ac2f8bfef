#include "nodes/top_set.h"

#include <math.h>
#include <stdlib.h>

#include "owed/keyspace.h"
#include "protocol/command.h"
#include "tally/tops.h"

#define SCORE_BYTES_MAX 32
#define LAST_TEXT "127"
_Static_assert(TOPS_KEPT == 128, "LAST_TEXT is the last of them");

void top_set_append(struct buf *out, struct buf *scratch, struct slice prefix, struct slice name)
{
    uint32_t partition;
    struct slice ns = {0};

    buf_clear(scratch);
    name_top_read(name, &partition, &ns);
    keyspace_append_top_key(scratch, prefix, partition, ns);
    command_append(
        out, 5,
        (struct slice[]){SLICE("ZREVRANGE"), buf_slice(scratch), SLICE("0"), SLICE(LAST_TEXT), SLICE("WITHSCORES")});
    out->failed |= scratch->failed;
}

/* Scores are doubles. Above 2^53 they only order roughly, and nobody is shown one. */
static bool score_read(struct slice text, int64_t *out)
{
    char copy[SCORE_BYTES_MAX], *end;

    if (text.bytes == 0 || text.bytes >= sizeof(copy))
        return false;
    memcpy(copy, text.at, text.bytes);
    copy[text.bytes] = 0;
    double score = strtod(copy, &end);
    if (*end || isnan(score))
        return false;
    *out = score >= 0x1p63 ? INT64_MAX : score < -0x1p63 ? INT64_MIN : (int64_t)score;
    return true;
}

static bool take_key(struct scan *out, struct slice key, struct slice score)
{
    char name[NAME_BYTES_MAX];
    int64_t value;

    if (key.bytes == 0 || key.bytes > NAME_KEY_BYTES_MAX || !score_read(score, &value))
        return true; /* another program's: no counter has that name */
    memcpy(name, out->begins, out->begins_bytes);
    memcpy(name + out->begins_bytes, key.at, key.bytes);
    if (scan_add(out, (struct slice){name, out->begins_bytes + key.bytes}) < 0)
        return false;
    out->names[out->count - 1].value = value;
    return true;
}

bool top_set_read(const struct reply *reply, struct scan *out)
{
    if (reply->type != REPLY_ARRAY) {
        out->state = SCAN_REFUSED;
        return false;
    }
    for (uint32_t i = 0; i + 1 < reply->items_count; i += 2) {
        if (!take_key(out, reply->items[i].text, reply->items[i + 1].text)) {
            out->state = SCAN_BUSY;
            return false;
        }
    }
    return true;
}
