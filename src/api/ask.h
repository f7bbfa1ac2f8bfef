#pragma once
/* A request that waits for the flusher: the question goes there, the connection waits, the answer resumes it.
 *
 * Thread: the worker's. Ends in one of three ways: the answer comes, ask_end() is called when the wait is over
 * (then the answer is thrown away when it comes), or the connection ends (ask_forget(), likewise). */

#include "api/api_worker.h"

/* An empty question about `count` names, for ask_begin(); NULL without memory. */
struct question *ask_question(const struct api_worker *aw, const struct reply *reply, uint32_t count,
                              uint32_t deadline_ms);
/* Takes the question. false: the flusher takes no more questions, or no memory; the request is answered at once. */
bool ask_begin(struct api_worker *aw, struct reply *reply, struct question *question, uint32_t wait_ms);
/* Asks, and lets nobody wait: the flusher publishes what it learns (tally/totals.h, tally/answers.h). Takes the
 * question. */
bool ask_quietly(struct api_worker *aw, struct question *question);
/* The same question once more, about one name; the answer that came is forgotten, what hangs at it stays. */
bool ask_again(struct api_worker *aw, struct reply *reply, enum question_kind kind, struct slice name,
               uint32_t deadline_ms, uint32_t wait_ms);
/* The second call for the same request: what came back, or NULL when nothing did. Valid until ask_end(). */
const struct question *ask_answer(const struct reply *reply);
void ask_end(struct reply *reply);
/* A number of the route's own, from its first call, after ask_begin(), to the second. */
void ask_note(struct reply *reply, uint32_t note);
uint32_t ask_note_read(const struct reply *reply);
/* A flag that is set until the wait is over, however it ends, and then cleared. */
void ask_hold(struct reply *reply, uint32_t *flag);
void ask_forget(void *waiting);          /* handler.forget */
void ask_answers(struct api_worker *aw); /* handler.woken */
