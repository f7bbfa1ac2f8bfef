#include "owed/ledger.h"

#include <inttypes.h>
#include <stdio.h>

#define SEQ_DIGITS_MAX 19 /* a seq that would not fit is no seq of ours */
#define NONCE_DIGITS 16

size_t ledger_format(const struct ledger *l, char out[LEDGER_VALUE_BYTES_MAX])
{
    return (size_t)snprintf(out, LEDGER_VALUE_BYTES_MAX, "%" PRIu64 " %016" PRIx64, l->seq, l->nonce);
}

static bool parse_seq(struct slice digits, uint64_t *out)
{
    uint64_t n = 0;

    if (digits.bytes == 0 || digits.bytes > SEQ_DIGITS_MAX || digits.at[0] == '0')
        return false;
    for (size_t i = 0; i < digits.bytes; i++) {
        if (digits.at[i] < '0' || digits.at[i] > '9')
            return false;
        n = n * 10 + (uint64_t)(digits.at[i] - '0');
    }
    *out = n;
    return true;
}

static bool parse_nonce(struct slice digits, uint64_t *out)
{
    static const char hex[] = "0123456789abcdef";
    uint64_t n = 0;

    if (digits.bytes != NONCE_DIGITS)
        return false;
    for (size_t i = 0; i < digits.bytes; i++) {
        const char *digit = digits.at[i] ? strchr(hex, digits.at[i]) : NULL;
        if (!digit)
            return false;
        n = n << 4 | (uint64_t)(digit - hex);
    }
    *out = n;
    return true;
}

bool ledger_parse(struct slice value, struct ledger *out)
{
    const char *space = memchr(value.at, ' ', value.bytes);
    struct ledger l;

    if (!space)
        return false;
    size_t seq_bytes = (size_t)(space - value.at);
    if (!parse_seq((struct slice){value.at, seq_bytes}, &l.seq) ||
        !parse_nonce((struct slice){space + 1, value.bytes - seq_bytes - 1}, &l.nonce))
        return false;
    *out = l;
    return true;
}

enum ledger_verdict ledger_judge(const struct ledger *acked, const struct ledger *batch, const struct ledger *replaced,
                                 const struct ledger *server)
{
    if (!server)
        return acked->seq == 0 ? LEDGER_AS_ACKED : LEDGER_MISSING;
    if (ledger_equals(server, acked))
        return LEDGER_AS_ACKED;
    if (batch && ledger_equals(server, batch))
        return LEDGER_BATCH_APPLIED;
    if (replaced && ledger_equals(server, replaced))
        return LEDGER_REPLACED_APPLIED;
    return server->seq < acked->seq ? LEDGER_BEHIND : LEDGER_FOREIGN;
}
