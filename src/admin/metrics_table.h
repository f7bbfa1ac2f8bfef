#pragma once
/* Every metric of tallyd, once. Names stand without their "tallyd_", but process_… is a whole name. From this table
 * come /metrics and the table in README.md. Labels are bounded: workers, and the fixed lists that the FAMILY functions
 * print.
 *
 * VALUE(name, type, help, value)            one number. `v` is the struct view of this scrape
 * SECONDS(name, type, help, microseconds)   one time
 * WORKER(name, type, help, value)           one per worker. `w` is its struct worker_stats, `e` its struct engine_stats
 * FAMILY(name, type, label, help, print)    one per value of `label`. print() writes the samples */

/* clang-format off */
#define METRICS_TABLE(VALUE, SECONDS, WORKER, FAMILY)                                                                  \
    VALUE(hits_accepted_total, counter, "hits counted and answered 2xx (sum of n), and those recovered",               \
          (int64_t)v->books.accepted)                                                                                  \
    VALUE(hits_recovered_total, counter, "hits that the process before had left in the state file",                    \
          (int64_t)v->sources->recovered_hits)                                                                         \
    VALUE(hits_stored_total, counter, "hits that the store has acknowledged",                                          \
          (int64_t)(v->books.stored + v->books.rolled_back))                                                           \
    VALUE(hits_rolled_back_total, counter, "hits that the store acknowledged and then forgot; accepted = stored - "    \
          "rolled back + in flight + pending + poisoned + lost", (int64_t)v->books.rolled_back)                        \
    VALUE(replayed_hits_total, counter, "of those rolled back: pending again, and stored once more",                   \
          count_of(&v->flusher->replayed_hits))                                                                        \
    VALUE(hits_in_flight, gauge, "hits in batches that were sent and not yet acknowledged",                            \
          (int64_t)v->books.in_flight)                                                                                 \
    VALUE(hits_pending, gauge, "hits counted and not yet sent", (int64_t)v->books.pending)                             \
    VALUE(hits_poisoned, gauge, "hits set aside because the store refuses their key", (int64_t)v->books.poisoned)      \
    FAMILY(hits_lost_total, counter, "reason", "hits that were accepted and can not be stored any more", lost_print)   \
    VALUE(hits_unproved_total, counter, "of those stored: their ledger was gone, and nobody can tell whether the "     \
          "store still has them", count_of(&v->flusher->unproved_hits))                                                \
    VALUE(hits_doubled_at_most_total, counter, "hits that were pending when another process was found to write under " \
          "the same identity: a clone of this one may have stored them, too", \
          count_of(&v->flusher->doubled_hits_at_most)) \
    VALUE(books_imbalance, gauge, "accepted minus the sum of all cells; anything but 0 is a defect",                   \
          balance_gap(v->sources))                                                                                     \
    FAMILY(hits_refused_total, counter, "reason", "hits that were refused, and so not counted", refused_print)         \
    FAMILY(seeds_total,          counter, "result", "seeds and resets asked for", writes_print)                        \
    WORKER(http_requests_total, counter, "requests read", stat_read(&w->requests))                                     \
    FAMILY(http_responses_total, counter, "class", "answers by class of status", responses_print)                      \
    FAMILY(http_bad_requests_total, counter, "reason", "requests that could not be read", bad_requests_print)          \
    VALUE(reads_busy_total, counter, "reads that the store was not asked for: --reads or --reads-client was used up",  \
          API_SUM(v, reads_busy))                                                                                      \
    VALUE(streams, gauge, "streams of events that are open", API_SUM(v, streams_open))                                 \
    VALUE(streams_max, gauge, "streams that one worker holds at most", (int64_t)v->sources->streams_max)               \
    VALUE(streams_opened_total, counter, "streams of events that were begun", API_SUM(v, streams_opened))              \
    VALUE(streams_refused_total, counter, "streams that were answered 503, as there were as many as there may be",     \
          API_SUM(v, streams_refused))                                                                                 \
    VALUE(stream_events_total, counter, "events that streams were sent", API_SUM(v, stream_events))                    \
    VALUE(keys_listed_total, counter, "keys that lists and exports on the public port have shown",                     \
          API_SUM(v, keys_listed))                                                                                     \
    VALUE(exports_total, counter, "exports on the public port that were begun", API_SUM(v, exports))                   \
    VALUE(exports_cut_total, counter, "those of them that were cut short, as the store or this process went away",     \
          API_SUM(v, exports_cut))                                                                                     \
    FAMILY(http_timeouts_total, counter, "kind", "connections ended by a timeout", timeouts_print)                     \
    WORKER(connections, gauge, "open connections", stat_read(&w->conns_open))                                          \
    WORKER(connections_accepted_total, counter, "connections accepted", stat_read(&w->conns_accepted))                 \
    VALUE(connections_max, gauge, "connections that one worker holds at most; more wait in the kernel's queue",         \
          (int64_t)v->sources->conns_max)                                                                              \
    WORKER(connection_resets_total, counter, "connections that the peer reset", stat_read(&w->resets))                 \
    FAMILY(connections_shed_total, counter, "reason", "connections that were closed: full, the longest idle, to have " \
           "room for others; client, a new one whose client has --max-conns-client", shed_print)                       \
    WORKER(buffer_bytes, gauge, "memory of partial requests and unread answers", stat_read(&w->buffer_bytes))          \
    VALUE(buffer_bytes_max, gauge, "of all workers together: --max-buffer-bytes",                                      \
          (int64_t)v->sources->buffer_bytes_max)                                                                       \
    FAMILY(buffer_shortages_total, counter, "kind", "connections that gave way when that was at its end: evicted, as " \
           "the longest idle, or refused, as they wanted more", shortages_print)                                       \
    WORKER(received_bytes_total, counter, "bytes received", stat_read(&w->bytes_in))                                   \
    WORKER(sent_bytes_total, counter, "bytes sent", stat_read(&w->bytes_out))                                          \
    WORKER(sends_total, counter, "sends; requests / sends is how many answers leave at once", stat_read(&w->sends))    \
    FAMILY(io_engine_info, gauge, "engine", "the I/O engine that runs", engine_print)                                  \
    WORKER(io_batches_total, counter, "batches of completions, a system call each", stat_read(&e->batches))            \
    WORKER(io_completions_total, counter, "completions handled", stat_read(&e->completions))                           \
    WORKER(io_recv_no_buffers_total, counter, "receives that found no free buffer", stat_read(&e->recv_no_buffers))    \
    WORKER(io_stale_completions_total, counter, "completions for connections already closed",                          \
           stat_read(&e->stale_completions))                                                                           \
    WORKER(io_accept_errors_total, counter, "accepts that failed", stat_read(&e->accept_errors))                       \
    WORKER(io_cq_overflows_total, counter, "overflows of the completion queue", stat_read(&e->cq_overflows))           \
    VALUE(redis_connected, gauge, "1 while every partition has a node that answers", v->flusher->connected)            \
    FAMILY(redis_node_connected, gauge, "node", "1 while the link to this node is up", nodes_print)                    \
    VALUE(redis_partitions, gauge, "--partitions; 1 without a cluster", partitions_of(v->sources->options))             \
    VALUE(redis_masters, gauge, "masters of the cluster, at most as many as partitions; 0: not known yet, or no "      \
          "cluster", count_of(&v->flusher->masters))                                                                   \
    VALUE(redis_reconnects_total, counter, "connections made again", count_of(&v->flusher->reconnects))                \
    VALUE(redis_link_errors_total, counter, "connections lost or refused", count_of(&v->flusher->link_errors))         \
    FAMILY(redis_errors_total, counter, "class", "error replies by class", redis_errors_print)                         \
    VALUE(redis_commands_total, counter, "commands sent", count_of(&v->flusher->commands))                             \
    VALUE(redis_sent_bytes_total, counter, "bytes sent to Redis", count_of(&v->flusher->bytes_out))                    \
    VALUE(redis_received_bytes_total, counter, "bytes received from Redis", count_of(&v->flusher->bytes_in))           \
    VALUE(flushes_total, counter, "flushes begun", count_of(&v->flusher->flushes))                                     \
    VALUE(flush_batches_total, counter, "transactions that were stored", count_of(&v->flusher->batches))               \
    VALUE(flush_batches_retried_total, counter, "transactions sent again", count_of(&v->flusher->batches_retried))     \
    VALUE(flush_batches_reconciled_total, counter, "transactions whose reply was lost and whose ledger showed them "   \
          "applied", count_of(&v->flusher->batches_reconciled_applied))                                                \
    FAMILY(request_seconds, histogram, "le", "time from a request that is whole to its answer's way to the kernel; "    \
           "not of those that could not be read", request_time_print)                                                  \
    FAMILY(flush_seconds, histogram, "le", "time of a flush, from the first batch to the last reply", flush_time_print) \
    SECONDS(flush_duration_seconds, gauge, "duration of the last flush; 0 when there was none lately",                 \
            flush_duration_us(v))                                                                                      \
    SECONDS(flush_lag_seconds, gauge, "age of the oldest hit that is not stored; 0 when there is none",                \
            flush_lag_us(v))                                                                                           \
    SECONDS(flush_interval_seconds, gauge, "--flush-interval", (int64_t)v->sources->options->flush_interval_us)        \
    FAMILY(alarms_total, counter, "kind", "signs that the store or this process's identity is not what it was",        \
           alarms_print)                                                                                               \
    VALUE(keys, gauge, "distinct keys counted", (int64_t)tally_keys(v->sources->tally))                                \
    VALUE(keys_forgotten_total, counter, "keys that were idle and gave their room back (--key-idle)",                  \
          count_of(&v->flusher->keys_forgotten))                                                                       \
    VALUE(keys_max, gauge, "--max-keys", (int64_t)v->sources->options->max_keys)                                       \
    VALUE(keys_poisoned, gauge, "keys that the store refuses", count_of(&v->flusher->keys_poisoned))                   \
    VALUE(namespaces_untotalled, gauge, "namespaces that this process counts without a total, as 256 others came "   \
          "first; 1024: that many or more", count_of(&v->flusher->namespaces_late))                                    \
    VALUE(totals_owed, gauge, "totals in the store that lack hits, or have some of a key that was refused; mended by "  \
          "the next flush of their namespace", count_of(&v->flusher->totals_owed))                                     \
    FAMILY(policy_stale_seconds, gauge, "file", "for how long what this file says could not be taken: the rules that "  \
           "were read before are in force; 0: it is", policy_print)                                                    \
    FAMILY(build_info, gauge, "version", "the version that runs", build_print)                                         \
    VALUE(ready, gauge, "1 while /readyz says yes", life_get(v->sources) == LIFE_READY)                                \
    VALUE(draining, gauge, "1 after SIGTERM", life_get(v->sources) == LIFE_DRAINING)                                   \
    SECONDS(start_time_seconds, gauge, "when this process started, in Unix time", v->sources->started_wall_ms * 1000)  \
    VALUE(workers, gauge, "threads that serve", v->sources->workers_count)                                             \
    VALUE(memory_limit_bytes, gauge, "what this process may use: its cgroup's limit, or the machine's memory",         \
          memory_limit_of(v))                                                                                          \
    SECONDS(process_cpu_seconds_total, counter, "CPU time of the process, user and system", process_cpu_us())          \
    VALUE(process_resident_memory_bytes, gauge, "memory that the process holds", v->memory.resident_bytes)             \
    VALUE(process_virtual_memory_bytes, gauge, "address space of the process", v->memory.virtual_bytes)                \
    VALUE(process_open_fds, gauge, "open files and sockets (Linux 6.2 and newer)",                                     \
          process_fds_open(v->sources->process))                                                                       \
    VALUE(process_max_fds, gauge, "how many it may open", v->sources->process->fds_max)                                \
    SECONDS(process_start_time_seconds, gauge, "when this process started, in Unix time",                              \
            v->sources->started_wall_ms * 1000)
/* clang-format on */
