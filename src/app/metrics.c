#include "app/metrics.h"

#include <inttypes.h>

#include "app/books.h"
#include "app/metrics_table.h"
#include "base/clock.h"
#include "redis/error.h"

/* Taken once a scrape, so that its books are one reading. */
struct view {
    const struct sources *sources;
    const struct flusher_stats *flusher;
    struct books books;
};

static void sample_print(struct buf *out, const char *name, const char *label, const char *label_value, int64_t value)
{
    buf_printf(out, "tallyd_%s{%s=\"%s\"} %" PRId64 "\n", name, label, label_value, value);
}

static int64_t count_of(const uint64_t *stat) { return (int64_t)stat_read(stat); }

static int64_t flush_lag_us(const struct view *v)
{
    uint64_t since_ms = stat_read(&v->flusher->dirty_since_ms), now_ms = clock_mono_ms();
    return since_ms == 0 || now_ms < since_ms ? 0 : (int64_t)(now_ms - since_ms) * 1000;
}

static void lost_print(const struct view *v, const char *name, struct buf *out)
{
    sample_print(out, name, "reason", "rollback", (int64_t)v->books.lost);
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
