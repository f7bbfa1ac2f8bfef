#include "flush/total_watch.h"

#include "ledger/journal.h"
#include "sync/atomic.h"

static void say_late(struct total_watch *w, uint32_t late)
{
    store_relaxed_u64(&w->stats->namespaces_late, late); /* partner: the reader of metrics */
    if (late == 0 || w->said_late)
        return;
    w->said_late = true;
    ENV_LOG(w->env, LOG_LEVEL_WARN, "namespaces_without_total", log_num("with_total", SUMS_NAMESPACES_MAX),
            log_str("effect", "their keys are counted as ever; the metric says how many they are"),
            log_str("remedy", "name those that exist by --namespaces, if names are made up"));
}

/* The journal keeps a few for the next process (ledger/journal.h). */
static void say_owed(struct total_watch *w, uint32_t owed, uint32_t most)
{
    bool many = most > JOURNAL_OWED_MAX;

    store_relaxed_u64(&w->stats->totals_owed, owed); /* partner: the reader of metrics */
    if (many && !w->said_owed)
        ENV_LOG(w->env, LOG_LEVEL_WARN, "totals_owed", log_num("totals", owed),
                log_num("kept_over_a_kill", JOURNAL_OWED_MAX),
                log_str("cause", "the store refuses keys, or the totals themselves"),
                log_str("remedy",
                        "let the user of the store write <prefix>!total:*; until then a kill leaves totals wrong"));
    w->said_owed = many;
}

void total_watch_tick(struct total_watch *w)
{
    const struct sums *sums = keys_sums(w->keys);
    uint32_t owed = 0, most = 0;

    if (!sums)
        return;
    for (uint32_t p = 0; p < sums_partitions(sums); p++) {
        uint32_t owing = sums_owing(sums, p);
        owed += owing;
        most = owing > most ? owing : most;
    }
    say_late(w, sums_late(sums));
    say_owed(w, owed, most);
}
