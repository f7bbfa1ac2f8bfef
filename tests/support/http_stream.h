#pragma once
/* A connection's worth of bytes read as net/ reads them: heads kept together, bodies streamed, requests one after the
 * other. All that comes of it is written to a log, so that two ways of cutting the same bytes can be compared; what
 * must hold for any input is asserted on the way. */

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <strings.h>

#include "base/buf.h"
#include "http/parser.h"
#include "support/guard.h"

enum { STREAM_BYTES_MAX = 1 << 20 };

struct stream {
    const struct http_limits *limits;
    struct guard guard;
    struct buf pending; /* came, but not taken yet */
    struct buf decoded; /* of the body being read */
    struct buf log;
    struct http_parser parser;
    struct http_request request;
    struct http_body body;
    bool in_body, ended;
    unsigned requests; /* complete ones */
};

void stream_init(struct stream *s, const struct http_limits *limits);
void stream_reset(struct stream *s, const struct http_limits *limits);
void stream_fini(struct stream *s);
void stream_push(struct stream *s, const char *data, size_t bytes);
/* No more comes: what was left undone is a part of the outcome. */
void stream_end(struct stream *s);
/* SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014). */
uint64_t random_next(uint64_t *state);
size_t random_below(uint64_t *state, size_t bound);
/* Pushes everything in random pieces: mostly small, sometimes a lot at once. */
void stream_push_cut(struct stream *s, const char *data, size_t bytes, uint64_t seed);
bool stream_same(const struct stream *a, const struct stream *b);
