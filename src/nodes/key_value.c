#include "nodes/key_value.h"

#include "owed/batch.h"
#include "protocol/command.h"
#include "redis/error.h"

#define INTEGER_BYTES_MAX 20 /* "-9223372036854775808" */

void key_value_append(struct buf *out, struct buf *scratch, struct slice prefix, struct slice name)
{
    buf_clear(scratch);
    batch_append_redis_key(scratch, prefix, name);
    command_append(out, 4, (struct slice[]){SLICE("GETRANGE"), buf_slice(scratch), SLICE("0"), SLICE("20")});
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

enum key_value key_value_read(const struct reply *reply, int64_t *value)
{
    *value = 0;
    if (reply->type == REPLY_ERROR && redis_error_classify(reply->text) == REDIS_ERROR_WRONGTYPE)
        return KEY_VALUE_WRONG_TYPE;
    if (reply->type != REPLY_STRING)
        return KEY_VALUE_UNTOLD;
    if (reply->text.bytes == 0)
        return KEY_VALUE_NONE;
    return parse_integer(reply->text, value) ? KEY_VALUE_INTEGER : KEY_VALUE_NO_INTEGER;
}
