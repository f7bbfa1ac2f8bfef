#pragma once
/* Those who follow a counter. A worker has streams of events, and tells them (HTML standard, server-sent events).
 *
 * Thread: the worker's.
 * A namespace is followed like a name. Its total (api/total.h) is asked of the flusher once a second.
 * Streams of one name share a topic, which knows the number and its rate. A tick looks at each topic, and tells those
 * streams whose last event is a second old and says something else. What other processes count comes from the store,
 * which is asked for all topics at once, for each at most every ASK_EVERY_MS, and not while another asks for it anyway.
 * A stream that has not taken its last event is told nothing until it has. So it costs one event, however slow it is.
 * Without streams a tick costs one load. */

#include <stdbool.h>
#include <stdint.h>

#include "request/api_worker.h"

#define STREAM_EVENT_MS 1000    /* between two events, at least */
#define STREAM_COMMENT_MS 15000 /* something is said this often, so that nobody between takes it for dead */
#define STREAM_RETRY_MS 2000    /* when a client comes again, unless it is told otherwise */
#define STREAM_ASK_MS 2000

struct stream;
struct streams;

int streams_create(struct streams **out); /* 0 or -ENOMEM */
void streams_destroy(struct streams *s);  /* NULL is allowed. After the connections */

uint32_t streams_count(const struct streams *s);
uint32_t streams_of(const struct streams *s, const struct ip *client);
bool streams_are_draining(const struct streams *s);

/* Begins one on the connection of the ticket. `client` may be NULL. `seen` is the number that the client knows already,
 * and need not be told, or NULL. Appends the first event to `out`, if the number is known. NULL without memory. */
struct stream *stream_open(struct api_worker *aw, struct slice name, struct ticket ticket, const struct ip *client,
                           const int64_t *seen, uint64_t now_ms, struct buf *out);
void stream_ended(struct api_worker *aw, struct stream *stream); /* handler.stream_ended */
void streams_tick(struct api_worker *aw, uint64_t now_ms);       /* handler.tick */
/* Ends all. Each client is told to come again at a time of its own, so that they do not come all at once. */
void streams_drain(struct api_worker *aw); /* handler.draining */
/* "retry: …" for a client that comes while the server drains. */
void stream_retry_append(struct buf *out);
