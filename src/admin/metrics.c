#include "admin/metrics.h"

#include <inttypes.h>
#include <string.h>

#include "admin/balance.h"
#include "admin/metrics_table.h"
#include "base/clock.h"
#include "base/escape.h"
#include "redis/error.h"
#include "version.h"

#define FLUSH_SHOWN_MS 60000

/* Taken once a scrape, so that its books are one reading. */
struct view {
    const struct sources *sources;
    const struct flusher_stats *flusher;
    struct balance books;
    struct process_memory memory;
    bool open_metrics;
};

static void sample_print(struct buf *out, const char *name, const char *label, const char *label_value, int64_t value)
{
    buf_printf(out, "tallyd_%s{%s=\"", name, label);
    escape_label(out, (struct slice){label_value, strlen(label_value)});
    buf_printf(out, "\"} %" PRId64 "\n", value);
}

static int64_t count_of(const uint64_t *stat) { return (int64_t)stat_read(stat); }

static int64_t partitions_of(const struct options *o)
{
    return o->redis_mode == OPTION_REDIS_CLUSTER ? (int64_t)o->partitions : 1;
}

static int64_t memory_limit_of(const struct view *v)
{
    uint64_t limit = v->sources->process->memory_limit;
    return limit > INT64_MAX ? -1 : (int64_t)limit;
}

static int64_t flush_lag_us(const struct view *v)
{
    uint64_t since_ms = stat_read(&v->flusher->backlog_since_ms), now_ms = clock_mono_ms();
    return since_ms == 0 || now_ms < since_ms ? 0 : (int64_t)(now_ms - since_ms) * 1000;
}

/* A process that has been idle for a while has no slow flushes, whatever its last one was. */
static int64_t flush_duration_us(const struct view *v)
{
    uint64_t idle_ms = FLUSH_SHOWN_MS + 2 * v->sources->options->flush_interval_us / US_PER_MS;
    bool idle = clock_mono_ms() - stat_read(&v->flusher->last_flush_ms) > idle_ms;
    return idle ? 0 : count_of(&v->flusher->flush_duration_us);
}

static void lost_print(const struct view *v, const char *name, struct buf *out)
{
    uint64_t state = v->sources->state_lost_hits, given_up = stat_read(&v->flusher->given_up_hits);
    uint64_t rest = v->books.lost - state;
    bool copied = v->sources->state_copied;
    sample_print(out, name, "reason", "rollback", (int64_t)(rest > given_up ? rest - given_up : 0));
    sample_print(out, name, "reason", "state_copied", (int64_t)(given_up + (copied ? state : 0)));
    sample_print(out, name, "reason", "state_damaged", (int64_t)(copied ? 0 : state));
}

static void refused_print(const struct view *v, const char *name, struct buf *out)
{
#define REFUSAL_TEXT(name, text) text,
    static const char *const reasons[] = {API_REFUSALS(REFUSAL_TEXT)};
#undef REFUSAL_TEXT
    for (int reason = 0; reason < API_REFUSAL_KINDS; reason++) {
        int64_t sum = 0;
        for (uint32_t i = 0; i < v->sources->workers_count; i++)
            sum += count_of(&api_stats(v->sources->api, i)->hits_refused[reason]);
        sample_print(out, name, "reason", reasons[reason], sum);
    }
}

/* Of one member of struct api_stats, at `offset`. */
static int64_t api_sum(const struct view *v, size_t offset)
{
    int64_t sum = 0;
    for (uint32_t i = 0; i < v->sources->workers_count; i++)
        sum += count_of((const uint64_t *)((const char *)api_stats(v->sources->api, i) + offset));
    return sum;
}

#define API_SUM(v, member) api_sum(v, offsetof(struct api_stats, member))

static void writes_print(const struct view *v, const char *name, struct buf *out)
{
    static const char *const results[] = {
        [API_WRITE_DONE] = "done", [API_WRITE_REFUSED] = "refused", [API_WRITE_IN_DOUBT] = "in_doubt"};
    for (int result = 0; result < API_WRITE_KINDS; result++) {
        int64_t sum = 0;
        for (uint32_t i = 0; i < v->sources->workers_count; i++)
            sum += count_of(&api_stats(v->sources->api, i)->writes[result]);
        sample_print(out, name, "result", results[result], sum);
    }
}

static void responses_print(const struct view *v, const char *name, struct buf *out)
{
    for (int class = 2; class < API_RESPONSE_CLASSES; class ++) {
        char text[] = "0xx";
        int64_t sum = 0;
        for (uint32_t i = 0; i < v->sources->workers_count; i++)
            sum += count_of(&api_stats(v->sources->api, i)->responses[class]);
        text[0] = (char)('0' + class);
        sample_print(out, name, "class", text, sum);
    }
}

/* Each worker met the reasons in an order of its own. */
static void bad_requests_print(const struct view *v, const char *name, struct buf *out)
{
    struct api_bad_reason sums[API_BAD_REASONS_MAX] = {0};
    for (uint32_t i = 0; i < v->sources->workers_count; i++) {
        const struct api_bad_reason *bad = api_stats(v->sources->api, i)->bad_requests;
        const char *token;
        /* Partner: the api's store_release_ptr() of a new reason. */
        for (unsigned at = 0;
             at < API_BAD_REASONS_MAX && (token = load_acquire_ptr((void *const *)(uintptr_t)&bad[at].token)); at++) {
            unsigned sum = 0;
            while (sum < API_BAD_REASONS_MAX - 1 && sums[sum].token && strcmp(sums[sum].token, token) != 0)
                sum++;
            sums[sum].token = token;
            sums[sum].count += stat_read(&bad[at].count);
        }
    }
    for (unsigned sum = 0; sum < API_BAD_REASONS_MAX && sums[sum].token; sum++)
        sample_print(out, name, "reason", sums[sum].token, (int64_t)sums[sum].count);
    if (!sums[0].token) /* none so far; a family without samples is no metric */
        sample_print(out, name, "reason", "other", 0);
}

static void timeouts_print(const struct view *v, const char *name, struct buf *out)
{
    int64_t head = 0, body = 0, sending = 0, idle = 0;
    for (uint32_t i = 0; i < v->sources->workers_count; i++) {
        const struct worker_stats *w = worker_stats(v->sources->workers[i]);
        head += count_of(&w->timeouts_head);
        body += count_of(&w->timeouts_body);
        sending += count_of(&w->timeouts_send);
        idle += count_of(&w->timeouts_idle);
    }
    sample_print(out, name, "kind", "head", head);
    sample_print(out, name, "kind", "body", body);
    sample_print(out, name, "kind", "send", sending);
    sample_print(out, name, "kind", "idle", idle);
}

static void shed_print(const struct view *v, const char *name, struct buf *out)
{
    int64_t full = 0, client = 0;
    for (uint32_t i = 0; i < v->sources->workers_count; i++) {
        const struct worker_stats *w = worker_stats(v->sources->workers[i]);
        full += count_of(&w->conns_shed_full);
        client += count_of(&w->conns_shed_client);
    }
    sample_print(out, name, "reason", "full", full);
    sample_print(out, name, "reason", "client", client);
}

static void shortages_print(const struct view *v, const char *name, struct buf *out)
{
    int64_t evicted = 0, refused = 0;
    for (uint32_t i = 0; i < v->sources->workers_count; i++) {
        const struct worker_stats *w = worker_stats(v->sources->workers[i]);
        evicted += count_of(&w->buffer_evicted);
        refused += count_of(&w->buffer_refused);
    }
    sample_print(out, name, "kind", "evicted", evicted);
    sample_print(out, name, "kind", "refused", refused);
}

static void engine_print(const struct view *v, const char *name, struct buf *out)
{
    sample_print(out, name, "engine", worker_engine_name(v->sources->workers[0]), 1);
}

static void redis_errors_print(const struct view *v, const char *name, struct buf *out)
{
    for (int class = REDIS_ERROR_NONE + 1; class < REDIS_ERROR_COUNT; class ++)
        sample_print(out, name, "class", redis_error_name((enum redis_error_class) class),
                     count_of(&v->flusher->errors_by_class[class]));
}

static void alarms_print(const struct view *v, const char *name, struct buf *out)
{
    sample_print(out, name, "kind", "identity_taken", count_of(&v->flusher->alarms_identity_taken));
    sample_print(out, name, "kind", "ledger_missing", count_of(&v->flusher->alarms_ledger_missing));
    sample_print(out, name, "kind", "rollback", count_of(&v->flusher->alarms_rollback));
    sample_print(out, name, "kind", "partitions_differ", count_of(&v->flusher->alarms_partitions_differ));
}

static void nodes_print(const struct view *v, const char *name, struct buf *out)
{
    struct node_name nodes[NODE_NAMES_MAX];
    uint32_t count = node_names_read(&v->flusher->node_names, nodes);
    for (uint32_t i = 0; i < count; i++)
        sample_print(out, name, "node", nodes[i].name, (int64_t)nodes[i].connected);
    if (count == 0) /* none yet; a family without samples is no metric */
        sample_print(out, name, "node", "none", 0);
}

static void histogram_read(const struct histogram *h, struct histogram *sums)
{
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
        sums->counts[i] += stat_read(&h->counts[i]);
    sums->sum_us += stat_read(&h->sum_us);
}

/* Cumulative, as the format wants it. */
static void histogram_print(struct buf *out, const char *name, const struct histogram *h)
{
#define BOUND_TEXT(us, seconds) seconds,
    static const char *const bounds[HISTOGRAM_BUCKETS] = {HISTOGRAM_BOUNDS(BOUND_TEXT) "+Inf"};
#undef BOUND_TEXT
    uint64_t count = 0;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        count += h->counts[i];
        buf_printf(out, "tallyd_%s_bucket{le=\"%s\"} %" PRIu64 "\n", name, bounds[i], count);
    }
    buf_printf(out, "tallyd_%s_sum %" PRIu64 ".%06" PRIu64 "\ntallyd_%s_count %" PRIu64 "\n", name, h->sum_us / 1000000,
               h->sum_us % 1000000, name, count);
}

static void request_time_print(const struct view *v, const char *name, struct buf *out)
{
    struct histogram sums = {0};
    for (uint32_t i = 0; i < v->sources->workers_count; i++)
        histogram_read(&worker_stats(v->sources->workers[i])->request_time, &sums);
    histogram_print(out, name, &sums);
}

static void flush_time_print(const struct view *v, const char *name, struct buf *out)
{
    struct histogram sums = {0};
    histogram_read(&v->flusher->flush_time, &sums);
    histogram_print(out, name, &sums);
}

static void policy_print(const struct view *v, const char *name, struct buf *out)
{
    for (int part = 0; part < POLICY_PARTS; part++)
        sample_print(out, name, "file", policy_file_name(part),
                     policy_stale_us(&v->sources->policy_watch[part]) / 1000000);
}

static void build_print(const struct view *v, const char *name, struct buf *out)
{
    (void)v;
    sample_print(out, name, "version", TALLYD_VERSION, 1);
}

/* ---- the rows as functions ---- */

#define NOTHING(...)
#define VALUE_FUNCTION(name, type, help, value)                                                                        \
    static int64_t read_##name(__attribute__((unused)) const struct view *v) { return value; }
#define WORKER_FUNCTION(name, type, help, value)                                                                       \
    static int64_t read_##name(__attribute__((unused)) const struct worker_stats *w,                                   \
                               __attribute__((unused)) const struct engine_stats *e)                                   \
    {                                                                                                                  \
        return (int64_t)(value);                                                                                       \
    }
METRICS_TABLE(VALUE_FUNCTION, VALUE_FUNCTION, WORKER_FUNCTION, NOTHING)

/* One row; the first of the readers that is not NULL says what form it has. */
struct metric {
    const char *name, *type, *label, *help;
    int64_t (*value)(const struct view *v);
    int64_t (*seconds)(const struct view *v); /* in µs */
    int64_t (*worker)(const struct worker_stats *w, const struct engine_stats *e);
    void (*family)(const struct view *v, const char *name, struct buf *out);
};

#define VALUE_ROW(name_, type_, help_, value_) {.name = #name_, .type = #type_, .help = help_, .value = read_##name_},
#define SECONDS_ROW(name_, type_, help_, us_) {.name = #name_, .type = #type_, .help = help_, .seconds = read_##name_},
#define WORKER_ROW(name_, type_, help_, value_)                                                                        \
    {.name = #name_, .type = #type_, .label = "worker", .help = help_, .worker = read_##name_},
#define FAMILY_ROW(name_, type_, label_, help_, print_)                                                                \
    {.name = #name_, .type = #type_, .label = label_, .help = help_, .family = print_},
static const struct metric metrics[] = {METRICS_TABLE(VALUE_ROW, SECONDS_ROW, WORKER_ROW, FAMILY_ROW)};
#define METRICS (sizeof(metrics) / sizeof(*metrics))

static void workers_print(const struct view *v, const struct metric *m, struct buf *out)
{
    for (uint32_t i = 0; i < v->sources->workers_count; i++) {
        const struct worker *worker = v->sources->workers[i];
        buf_printf(out, "tallyd_%s{worker=\"%" PRIu32 "\"} %" PRId64 "\n", m->name, i,
                   m->worker(worker_stats(worker), worker_engine_stats(worker)));
    }
}

/* Names that every program has need no prefix. */
static const char *prefix_of(const struct metric *m)
{
    return strncmp(m->name, "process_", strlen("process_")) == 0 ? "" : "tallyd_";
}

/* In OpenMetrics a counter's family has no "_total", which its samples keep. */
static void head_print(const struct view *v, const struct metric *m, struct buf *out)
{
    size_t bytes = strlen(m->name);
    bool cut = v->open_metrics && strcmp(m->type, "counter") == 0;
    int shown = (int)(cut ? bytes - strlen("_total") : bytes);
    buf_printf(out, "# HELP %s%.*s %s\n# TYPE %s%.*s %s\n", prefix_of(m), shown, m->name, m->help, prefix_of(m), shown,
               m->name, m->type);
}

static void metric_print(const struct view *v, const struct metric *m, struct buf *out)
{
    head_print(v, m, out);
    if (m->value) {
        buf_printf(out, "%s%s %" PRId64 "\n", prefix_of(m), m->name, m->value(v));
    } else if (m->seconds) {
        int64_t us = m->seconds(v);
        buf_printf(out, "%s%s %" PRId64 ".%06" PRId64 "\n", prefix_of(m), m->name, us / 1000000, us % 1000000);
    } else if (m->worker) {
        workers_print(v, m, out);
    } else {
        m->family(v, m->name, out);
    }
}

/* Without a Redis there is nothing to say of it, and an alert that looks for 0 must not find one. What the system does
 * not say of this process is below 0. */
static bool metric_applies(const struct view *v, const struct metric *m)
{
    bool of_redis = strncmp(m->name, "redis_", strlen("redis_")) == 0;
    bool of_system = *prefix_of(m) == '\0' || m->value == read_memory_limit_bytes;
    bool known = !of_system || !m->value || m->value(v) >= 0;
    return known && (!of_redis || *v->sources->options->redis.host);
}

void metrics_print(const struct sources *s, bool open_metrics, struct buf *out)
{
    struct view v = {.sources = s,
                     .flusher = flusher_stats(s->flusher),
                     .memory = process_memory(s->process),
                     .open_metrics = open_metrics};
    balance_read(s, &v.books);
    for (size_t i = 0; i < METRICS; i++)
        if (metric_applies(&v, &metrics[i]))
            metric_print(&v, &metrics[i], out);
    if (open_metrics)
        buf_append_slice(out, SLICE("# EOF\n"));
}

void metrics_print_markdown(struct buf *out)
{
    buf_printf(out, "| metric | type | labels | meaning |\n|---|---|---|---|\n");
    for (size_t i = 0; i < METRICS; i++)
        buf_printf(out, metrics[i].label ? "| `%s%s` | %s | `%s` | %s |\n" : "| `%s%s` | %s | %s| %s |\n",
                   prefix_of(&metrics[i]), metrics[i].name, metrics[i].type, metrics[i].label ? metrics[i].label : "",
                   metrics[i].help);
}
