#include "ledger/look.h"

#include "ledger/batch.h"
#include "redis/error.h"

#define INTEGER_BYTES_MAX 20 /* "-9223372036854775808" */

void look_append(struct buf *out, struct buf *scratch, struct slice prefix, struct slice name)
{
    buf_clear(scratch);
    batch_append_redis_key(scratch, prefix, name);
    resp_command(out, 4, (struct slice[]){SLICE("GETRANGE"), buf_slice(scratch), SLICE("0"), SLICE("20")});
    out->failed |= scratch->failed;
}

/* A Redis integer as INCRBY writes it: no leading zero, no '+', within int64. */
static bool parse_integer(struct slice text, int64_t *out)
{
    bool negative = text.bytes && text.at[0] == '-';
    struct slice digits = {text.at + negative, text.bytes - negative};
    int64_t n = 0;

    if (digits.bytes == 0 || digits.bytes >= INTEGER_BYTES_MAX || (digits.at[0] == '0' && text.bytes > 1))
        return false;
    for (size_t i = 0; i < digits.bytes; i++) {
        int64_t digit = digits.at[i] - '0';
        if (digit < 0 || digit > 9 || __builtin_mul_overflow(n, 10, &n) ||
            __builtin_sub_overflow(n, digit, &n)) /* counted downwards: INT64_MIN has no positive twin */
            return false;
    }
    if (!negative && n == INT64_MIN)
        return false;
    *out = negative ? n : -n;
    return true;
}

enum look look_read(const struct reply *reply, int64_t *value)
{
    *value = 0;
    if (reply->type == REPLY_ERROR && redis_error_classify(reply->text) == REDIS_ERROR_WRONGTYPE)
        return LOOK_WRONG_TYPE;
    if (reply->type != REPLY_STRING)
        return LOOK_REFUSED;
    if (reply->text.bytes == 0)
        return LOOK_NOTHING;
    return parse_integer(reply->text, value) ? LOOK_INTEGER : LOOK_NO_INTEGER;
}
