#pragma once
/* Feeds bytes to the request reader, whole and cut, each piece ending at an unreadable page, and compares. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/buf.h"
#include "http/parser.h"
#include "support/guard.h"

enum { FEED_BYTES_MAX = 65536 };

/* What came of a head; the slices of `r` point into the caller's text. */
struct head_outcome {
    enum http_result result;
    int status;
    const char *reason;
    size_t head_bytes;
    struct http_request r;
};

struct body_outcome {
    enum http_result result;
    int status;
    const char *reason;
    size_t taken; /* bytes of the input that belong to the body */
    struct buf decoded;
};

struct guard *feed_guard(void);
/* Bytes come in steps: `first`, then `step` at a time. Every step moves the bytes. */
struct head_outcome feed_head(struct slice text, const struct http_limits *limits, size_t first, size_t step);
bool same_text(const char *a, const char *b);
/* NULL: absent. */
bool slice_is_text(struct slice s, const char *text);
void assert_slice(struct slice s, const char *text);
void fail_at(struct slice text, const char *what, size_t first, size_t step);

/* A row of a table: a head, where the rule stands, and what must come of it. */
struct head_row {
    const char *rule;
    struct slice text;
    int status; /* 0: accepted */
    const char *reason;
};

/* The outcome of the whole, after having seen that every cut in two, and byte by byte, give the same. */
struct head_outcome feed_head_cut(struct slice text, const struct http_limits *limits);
/* As feed_head_cut(). The caller ends with buf_fini(&outcome.decoded). */
struct body_outcome feed_body_cut(struct slice text, const struct http_limits *limits, const struct http_request *r);
void check_head_rows(const struct head_row *rows, size_t count);

#define CHECK_HEAD_ROWS(rows) check_head_rows((rows), sizeof(rows) / sizeof((rows)[0]))
