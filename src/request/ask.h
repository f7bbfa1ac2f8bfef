#pragma once
/* A request that waits for the flusher. The question goes there, the connection waits, and the answer resumes it.
 *
 * Thread: the worker's.
 * Happy path: ask_question(), ask_begin(), and the route returns WAITING. When the answer is here, or the wait is over,
 * the route's `resume` is called. It finds the answer by ask_answer(), and what was asked by ask_name(). The question
 * goes when `resume` returns HANDLED.
 *
 * Failure modes: the wait is over before the answer has come, or the connection ends. Then the answer is thrown away
 * when it comes. */

#include "flush/mailbox.h"
#include "request/api_worker.h"

/* Makes an empty question about `count` names, for ask_begin(). Returns NULL without memory. */
struct question *ask_question(const struct api_worker *aw, const struct reply *reply, uint32_t count,
                              uint32_t deadline_ms);
/* What goes on with the request of a route that waited. It returns as a route does. WAITING means that it has asked
 * again, or that it looks once more after reply->wait_ms. */
typedef enum handler_result ask_resume_fn(struct api_worker *aw, const struct http_request *r, struct reply *reply);

/* Takes the question. Returns false when the flusher takes no more of them, or without memory. Then the request is to
 * be answered at once. */
bool ask_begin(struct api_worker *aw, struct reply *reply, struct question *question, uint32_t wait_ms,
               ask_resume_fn *resume);
/* Goes on with a request that waits (handler.resume). */
enum handler_result ask_resume(struct api_worker *aw, const struct http_request *r, struct reply *reply);
/* Waits for something else than the flusher, and looks every `wait_ms` by `resume` whether it is there. Returns false
 * without memory. */
bool ask_nobody(struct api_worker *aw, struct reply *reply, uint32_t wait_ms, ask_resume_fn *resume);
/* Asks, and lets nobody wait, because the flusher publishes what it learns (tally/totals.h, tally/answers.h). Takes the
 * question. */
bool ask_quietly(struct api_worker *aw, struct question *question);
/* Asks the same question once more, about one name. The answer that came is forgotten, and what hangs at it stays. */
bool ask_again(struct api_worker *aw, struct reply *reply, enum question_kind kind, struct slice name,
               uint32_t deadline_ms, uint32_t wait_ms);

/* ---- of a request that is resumed ---- */
/* Returns what came back, or NULL when nothing did. */
const struct question *ask_answer(const struct reply *reply);
/* How many names were asked for, and each of them, whether an answer came or not. */
uint32_t ask_names(const struct reply *reply);
struct slice ask_name(const struct reply *reply, uint32_t i);
/* A number of the route's own, noted once it waits. 0 before. */
void ask_note(struct reply *reply, uint32_t note);
uint32_t ask_note_read(const struct reply *reply);
/* A flag that is set until the wait is over, however it ends, and then cleared. */
void ask_hold(struct reply *reply, uint32_t *flag);
void ask_forget(void *waiting);          /* handler.forget */
void ask_answers(struct api_worker *aw); /* handler.woken */
