#include "admin/status.h"

#include <inttypes.h>

#include "admin/balance.h"
#include "api/ranking.h"
#include "base/clock.h"
#include "forms/json.h"
#include "tally/shard.h"
#include "version.h"

const char *life_name(enum life life)
{
    static const char *const names[] = {"starting", "ready", "draining"};
    return names[life];
}

static void member_string(struct buf *out, const char *name, const char *text)
{
    buf_printf(out, "\"%s\":", name);
    json_append_string(out, (struct slice){text, strlen(text)});
}

static void process_print(const struct sources *s, struct buf *out)
{
    member_string(out, "version", TALLYD_VERSION);
    buf_printf(out, ",");
    member_string(out, "state", life_name(life_get(s)));
    buf_printf(out, ",");
    member_string(out, "instance", s->instance);
    buf_printf(out, ",");
    member_string(out, "engine", worker_engine_name(s->workers[0]));
    buf_printf(out, ",\"uptime_ms\":%" PRId64, clock_wall_ms() - s->started_wall_ms);
}

static void books_print(const struct sources *s, struct buf *out)
{
    struct balance b;
    balance_read(s, &b);
    buf_printf(out,
               "\"books\":{\"accepted\":%" PRIu64 ",\"stored\":%" PRId64 ",\"in_flight\":%" PRIu64
               ",\"pending\":%" PRIu64 ",\"poisoned\":%" PRIu64 ",\"lost\":%" PRIu64 ",\"imbalance\":%" PRId64 "}",
               b.accepted, (int64_t)b.stored, b.in_flight, b.pending, b.poisoned, b.lost, balance_gap(s));
}

static void keys_print(const struct sources *s, struct buf *out)
{
    buf_printf(out, "\"keys\":{\"counted\":%" PRIu32 ",\"max\":%" PRIu64 ",\"poisoned\":%" PRIu64 "}",
               tally_keys(s->tally), s->options->max_keys, stat_read(&flusher_stats(s->flusher)->keys_poisoned));
}

static void redis_print(const struct sources *s, struct buf *out)
{
    const struct flusher_stats *f = flusher_stats(s->flusher);
    const struct redis_url *url = &s->options->redis;
    if (*url->host == '\0') {
        buf_printf(out, "\"redis\":null");
        return;
    }
    buf_printf(out, "\"redis\":{");
    member_string(out, "host", url->host);
    buf_printf(out,
               ",\"port\":%u,\"connected\":%s,\"reconnects\":%" PRIu64 ",\"flushes\":%" PRIu64
               ",\"flush_duration_us\":%" PRIu64 "}",
               url->port, f->connected ? "true" : "false", stat_read(&f->reconnects), stat_read(&f->flushes),
               stat_read(&f->flush_duration_us));
}

static void workers_print(const struct sources *s, struct buf *out)
{
    buf_printf(out, "\"workers\":[");
    for (uint32_t i = 0; i < s->workers_count; i++) {
        const struct worker_stats *w = worker_stats(s->workers[i]);
        buf_printf(out,
                   "%s{\"port\":%u,\"connections\":%" PRIu64 ",\"requests\":%" PRIu64 ",\"hits\":%" PRIu64
                   ",\"keys\":%" PRIu32 "}",
                   i > 0 ? "," : "", worker_port(s->workers[i]), stat_read(&w->conns_open), stat_read(&w->requests),
                   stat_read(&api_stats(s->api, i)->hits_accepted), shard_cells(tally_shard(s->tally, i)));
    }
    buf_printf(out, "]");
}

void status_print(const struct sources *s, struct buf *out)
{
    static void (*const parts[])(const struct sources *s, struct buf *out) = {process_print, books_print, keys_print,
                                                                              redis_print, workers_print};
    for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
        buf_append(out, i == 0 ? "{" : ",", 1);
        parts[i](s, out);
    }
    buf_printf(out, "}\n");
}

void status_print_ranking(const struct sources *s, struct buf *out)
{
    ranking_make(s->ranking, s->tally, clock_mono_ms());
    buf_printf(out, "{\"namespaces\":");
    ranking_print(s->ranking, out);
    buf_printf(out, "}\n");
}

void status_print_config(const struct sources *s, struct buf *out)
{
    const struct options *o = s->options;
    const char *separator = "{";
    for (unsigned i = 0; i < OPTIONS; i++) {
        const struct option *option = option_at(i);
        struct buf origin = {0};
        if (option->sources == SOURCE_FLAG) /* --help and the like: not how it runs */
            continue;
        option_origin(o, i, &origin);
        buf_append(&origin, "", 1);
        buf_printf(out, "%s\n  \"%s\":{", separator, option->name);
        member_string(out, "value", option_shown(o, i));
        buf_printf(out, ",");
        member_string(out, "from", origin.data ? origin.data : "");
        buf_printf(out, "}");
        buf_fini(&origin);
        separator = ",";
    }
    buf_printf(out, "\n}\n");
}
