#pragma once
/* Connections above a fake engine: what it is told is scripted, what it is asked to do is recorded. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "io/engine_ops.h"
#include "net/conns.h"

#define MAX 8

struct fake_slot {
    struct buf wire; /* what went out, once sent() was given */
    const char *data;
    size_t bytes;
    int sends, closes, shutdowns, pauses, resumes, asked;
};

struct fixture {
    struct engine engine;
    struct fake_slot slots[MAX];
    struct conns cs;
    bool accept_stopped;
    int waits; /* how many requests shall wait */
    int handled, forgotten, refused_status;
    char bodies[64]; /* of all requests, one after the other */
    struct ticket ticket;
    bool expired;
};

/* What the fixture answers by itself. */
enum handler_result handle(void *ctx, const struct http_request *r, struct reply *reply);
int setup(void **state);
int teardown(void **state);

/* ---- the script's words ---- */

void accept_slot(struct fixture *f, uint32_t slot);
void batch_end(struct fixture *f);
void receive(struct fixture *f, uint32_t slot, const char *text);
void fin(struct fixture *f, uint32_t slot);
/* The peer takes what was sent. */
bool take(struct fixture *f, uint32_t slot);
void closed(struct fixture *f, uint32_t slot);
void pass(struct fixture *f, uint64_t ms);
void assert_wire(struct fixture *f, uint32_t slot, const char *expected);

#define GET(path) "GET " path " HTTP/1.1\r\nHost: h\r\n\r\n"

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
