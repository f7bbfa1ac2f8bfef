#include "config/policy_watch.h"

#include "base/clock.h"
#include "sync/atomic.h"

enum option_index policy_file_option(enum policy_part part)
{
    static const enum option_index options[POLICY_PARTS] = {
        [POLICY_TOKENS] = OPTION_INDEX_token_file,
        [POLICY_ACCESS] = OPTION_INDEX_access_file,
        [POLICY_BOTS] = OPTION_INDEX_bots_file,
    };
    return options[part];
}

const char *policy_file_name(enum policy_part part) { return option_at(policy_file_option(part))->name; }

int64_t policy_stale_us(const struct policy_watch *w)
{
    /* Partner: main's store. Only the number counts, so nothing is ordered by it. */
    uint64_t since_ms = load_relaxed_u64(&w->stale_since_ms), now_ms = clock_mono_ms();
    return since_ms == 0 || now_ms < since_ms ? 0 : (int64_t)(now_ms - since_ms) * 1000;
}
