#include "nodes/refusals.h"

#include <stdio.h>

#include "redis/access.h"
#define LOG_EVERY_MS 30000
#define OVER_MS 1000       /* free of it for so long, it is over */
#define MOVING_MS_MAX 3000 /* a slot that moves is refused now and then */
#define ADVICE_BYTES_MAX 512

static uint64_t patience_ms(enum redis_error_class c)
{
    return c == REDIS_ERROR_MOVED || c == REDIS_ERROR_ASK || c == REDIS_ERROR_TRYAGAIN ? MOVING_MS_MAX : 0;
}

/* ---- words ---- */

/* The right that is missing, as ACL SETUSER takes it. */
static void advise_right(const struct refusals *r, enum redis_error_class c, const struct refusals_kind *k,
                         char out[ADVICE_BYTES_MAX])
{
    const char *name = r->options->redis->url.user, *user = *name ? name : "default";

    if (c == REDIS_ERROR_NOPERM_KEY)
        snprintf(out, ADVICE_BYTES_MAX, "the user may not touch tallyd's keys: ACL SETUSER %s ~%s*", user,
                 r->options->prefix);
    else
        snprintf(out, ADVICE_BYTES_MAX, "the user lacks a right: ACL SETUSER %s +%s", user, k->command);
}

static void kind_say(struct refusals *r, enum redis_error_class c, uint64_t now_ms)
{
    struct refusals_kind *k = &r->kinds[c];
    char since[24], advice[ADVICE_BYTES_MAX];

    k->said = true;
    k->logged_ms = now_ms;
    snprintf(since, sizeof(since), "%llus", (unsigned long long)((now_ms - k->since_ms) / 1000));
    if (c == REDIS_ERROR_NOPERM || c == REDIS_ERROR_NOPERM_KEY)
        advise_right(r, c, k, advice);
    else
        snprintf(advice, sizeof(advice), "%s", refusal_advice(c, r->options->redis->credentials.iam));
    ENV_LOG(r->env, LOG_LEVEL_WARN, "store_refuses", log_str("class", redis_error_name(c)),
            log_str("command", k->command), log_str("host", k->host), log_num("port", k->port), log_str("since", since),
            log_num("hits_waiting", (int64_t)keys_waiting(r->keys)), log_str("server_says", k->words),
            log_str("do", advice));
}

static void kind_over(struct refusals *r, enum redis_error_class c)
{
    struct refusals_kind *k = &r->kinds[c];

    if (k->said)
        ENV_LOG(r->env, LOG_LEVEL_INFO, "store_accepts", log_str("class", redis_error_name(c)),
                log_num("refused_for_s", (int64_t)((k->ended_ms - k->since_ms) / 1000)),
                log_num("hits_waiting", (int64_t)keys_waiting(r->keys)));
    k->said = false;
    k->since_ms = 0;
}

/* ---- who is refused ---- */

static void kind_release(struct refusals *r, enum redis_error_class c, uint64_t now_ms)
{
    struct refusals_kind *k = &r->kinds[c];

    if (c && --k->holders == 0)
        k->ended_ms = now_ms;
}

static void kind_look(struct refusals *r, enum redis_error_class c, uint64_t now_ms)
{
    struct refusals_kind *k = &r->kinds[c];

    if (!k->since_ms)
        return;
    if (!k->holders && now_ms - k->ended_ms >= OVER_MS)
        kind_over(r, c);
    else if (k->holders && now_ms - k->since_ms >= patience_ms(c) &&
             (!k->logged_ms || now_ms - k->logged_ms >= LOG_EVERY_MS))
        kind_say(r, c, now_ms);
}

void refusals_raise(struct refusals *r, struct refused *who, const struct redis_refusal *what, const char *host,
                    uint16_t port)
{
    if (!r)
        return;
    uint64_t now_ms = env_now_us(r->env) / 1000;
    struct refusals_kind *k = &r->kinds[what->class];

    if (who->why != what->class) {
        kind_release(r, who->why, now_ms);
        who->why = what->class;
        k->holders++;
    }
    k->since_ms = k->since_ms ? k->since_ms : now_ms;
    snprintf(k->command, sizeof(k->command), "%s", what->command);
    snprintf(k->words, sizeof(k->words), "%s", what->words);
    snprintf(k->host, sizeof(k->host), "%s", host);
    k->port = port;
    kind_look(r, what->class, now_ms);
}

void refusals_complain(struct refusals *r, struct refused *who, enum redis_error_class why, const struct link *link)
{
    const char *words = link_may_repeat(link, who->words) ? who->words : "";

    refusals_raise(r, who, &(struct redis_refusal){why, who->command, words}, link_host(link), link_port(link));
}

void refusals_end(struct refusals *r, struct refused *who)
{
    if (!r || !who->why)
        return;
    kind_release(r, who->why, env_now_us(r->env) / 1000);
    who->why = REDIS_ERROR_NONE;
}

bool refusals_of(struct refusals *r, struct refused *who, const char *command, const struct reply *reply,
                 const struct link *link)
{
    enum redis_error_class c = reply->type == REPLY_ERROR ? redis_error_classify(reply->text) : REDIS_ERROR_NONE;

    if (c == REDIS_ERROR_NONE) {
        refusals_end(r, who);
    } else if (c == REDIS_ERROR_NOPERM || c == REDIS_ERROR_NOPERM_KEY || c == REDIS_ERROR_UNKNOWN_COMMAND) {
        refused_note(who, command, reply->text);
        refusals_complain(r, who, c, link);
    }
    return c != REDIS_ERROR_NONE;
}

void refusals_tick(struct refusals *r)
{
    uint64_t now_ms = env_now_us(r->env) / 1000;

    for (enum redis_error_class c = REDIS_ERROR_NONE; c < REDIS_ERROR_COUNT; c++)
        kind_look(r, c, now_ms);
}
