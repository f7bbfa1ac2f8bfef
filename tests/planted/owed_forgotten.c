/* Planted: the next process does not hear what is owed to the totals. */
#include "ledger/journal.h"

void __real_journal_acknowledge(struct journal *j, const char *instance, const struct ledger *acked,
                                const struct journal_stored *stored);
void __wrap_journal_acknowledge(struct journal *j, const char *instance, const struct ledger *acked,
                                const struct journal_stored *stored);

void __wrap_journal_acknowledge(struct journal *j, const char *instance, const struct ledger *acked,
                                const struct journal_stored *stored)
{
    struct journal_stored without = *stored;

    without.owed_count = 0;
    __real_journal_acknowledge(j, instance, acked, &without);
}
