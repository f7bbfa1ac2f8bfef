#include "nodes/advice.h"

#include "redis/slots.h"
#include "sync/atomic.h"

#define A_NODE_MIN 2 /* partitions */
#define A_NODE_MAX 16
#define FINE_MAX 63 /* so many cost little more than one for each node */

void advice_on_cut(const struct accounts *accounts, uint32_t partitions, const struct reply *slots, bool *given)
{
    uint32_t masters = slots_masters(slots, partitions);
    bool few = masters > 1 && partitions < A_NODE_MIN * masters;
    bool many = masters > 0 && partitions > FINE_MAX && partitions > A_NODE_MAX * masters;

    store_relaxed_u64(&accounts->stats->masters, masters);
    if (few && !*given)
        ENV_LOG(accounts->env, LOG_LEVEL_WARN, "partitions_few", log_num("partitions", partitions),
                log_num("nodes", masters),
                log_str("do",
                        "some nodes have more to store than others, or nothing: move the data set (--repartition) to "
                        "two to four partitions for each node that there will ever be"));
    if (many && !*given)
        ENV_LOG(accounts->env, LOG_LEVEL_WARN, "partitions_many", log_num("partitions", partitions),
                log_num("nodes", masters),
                log_str("do", "each partition costs commands: move the data set (--repartition) to two to four for "
                              "each node that there will ever be"));
    *given |= few || many;
}
