#pragma once
/* Reads counters from what is published in this process, and asks the store for what is not.
 *
 * Thread: the worker's. A lookup that must ask the store makes the request wait (request/ask.h). The store is asked for
 * names it was never asked for, and again for those whose answer is older than two flush intervals and two seconds.
 * What it said of names that this process does not count, "no such key" among it, is remembered for as long
 * (tally/answers.h). Names asked for have a budget, by client and by worker.
 */

#include "request/ask.h"

#define LOOKUP_NAMES_MAX 100

struct lookup_value {
    int64_t value; /* stored + pending of this process */
    uint64_t pending;
    uint64_t as_of_ms; /* monotonic, or 0 when the store's share is not known */
    bool exists;       /* counted here, or there */
    bool known;        /* the store's share is in it */
    bool busy; /* It is not known because so many questions at once are not asked, not because the store is away */
};

/* Fills `out` for `count` names. Returns false when the store is asked. Then the route returns WAITING, and `resume`
 * gets the values by lookup_answer(). */
bool lookup_names(struct api_worker *aw, const struct http_request *r, struct reply *reply, const struct slice *names,
                  uint32_t count, struct lookup_value *out, ask_resume_fn *resume);
/* Fills `out` for the names that were asked for (ask_names()), with what there is when no answer came. */
void lookup_answer(const struct api_worker *aw, const struct reply *reply, struct lookup_value *out);
/* What is known of a name without asking. Returns whether the store need not be asked. */
bool lookup_peek(const struct api_worker *aw, struct slice name, uint64_t now_ms, struct lookup_value *out);
/* Asks the store for `count` names, QUESTION_NAMES_MAX at most, so that lookup_peek() knows them later. Whoever follows
 * them has been asked for its share when it came. So this takes from that of all, and asks nothing when it is used up.
 */
void lookup_refresh(struct api_worker *aw, const struct slice *names, uint32_t count, uint64_t now_ms);
/* Takes the client's share of one read, and that of all. */
bool lookup_may_ask(struct api_worker *aw, const struct http_request *r, const struct reply *reply);
/* Since when (monotonic ms) the store must have said something for that to be believed now. */
uint64_t lookup_since_ms(const struct api_worker *aw, uint64_t now_ms);
/* Returns the value of a name that was read in the store just now, together with others. That is `stored`, or what is
 * published, with what this process has not stored yet, where that is fresh. */
int64_t lookup_listed(const struct api_worker *aw, struct slice name, int64_t stored, uint64_t now_ms);
/* Appends "value":…,"pending":…,"stale_ms":… */
void lookup_append(struct buf *b, const struct lookup_value *v, uint64_t now_ms);
