/* What a process says, and when it may say so. */
#include <stdio.h>

#include "sim/sim.h"

static bool is_alarm(const char *event)
{
    return strcmp(event, "redis_rolled_back") == 0 || strcmp(event, "ledger_missing") == 0 ||
           strcmp(event, "identity_taken") == 0;
}

/* Nothing follows from a ledger before its server has shown that it takes writes. */
static void check_alarm(struct process *p, const char *event)
{
    if (is_alarm(event) && !net_has_written(&p->sim->net, p->life))
        sim_fail(p->sim, "process %u says %s of a server that has written nothing for it", p->life, event);
}

static void note_event(const struct process *p, const char *event, const struct log_field *fields)
{
    char numbers[160] = "";
    size_t at = 0;

    if (!p->sim->trace)
        return;
    for (const struct log_field *f = fields; f->name && at < sizeof(numbers); f++) {
        if (!f->text)
            at += (size_t)snprintf(numbers + at, sizeof(numbers) - at, " %s=%lld", f->name, (long long)f->number);
    }
    sim_note(p->sim, "process %u says %s%s", p->life, event, numbers);
}

void process_log(void *ctx, enum log_level level, const char *event, const struct log_field *fields)
{
    struct process *p = ctx;
    (void)level;

    process_life(p)->gave_up |= strcmp(event, "pending_given_up") == 0;
    for (const struct log_field *f = fields; f->name; f++) {
        if (f->text && f->text_bytes && memmem(f->text, f->text_bytes, "hunter", 6))
            sim_fail(p->sim, "a secret in the log: %s", event);
        process_life(p)->said_at_least |=
            strcmp(f->name, "hits_lost_at_least") == 0 || strcmp(f->name, "hits_unproved_at_least") == 0;
        if (is_alarm(event) && (strcmp(f->name, "hits_lost") == 0 || strcmp(f->name, "hits_unproved") == 0))
            p->logged += (uint64_t)f->number;
        p->sim->met.found += strcmp(f->name, "hits_found") == 0 && f->number > 0;
    }
    if (!p->frozen)
        check_alarm(p, event);
    note_event(p, event, fields);
}
