/* Room for new connections: who gives way, whose patience shrinks, what one client may have. */

#include "net/room.h"

#include <arpa/inet.h>

#include "support/conns_fixture.h"

/* Addresses instead of an engine that knows them. */
static struct fixture *with_peers(void **state, uint32_t client_max)
{
    struct fixture *f = *state;
    f->cs.peers = calloc(MAX, sizeof(*f->cs.peers));
    f->cs.client_max = client_max;
    assert_int_equal(room_init(&f->cs), 0);
    f->cs.room.spare = 0;
    return f;
}

static bool connect_from(struct fixture *f, uint32_t slot, const char *address)
{
    assert_true(ip_parse((struct slice){address, strlen(address)}, &f->cs.peers[slot]));
    f->cs.conns[slot].state = CONN_HEAD;
    f->cs.conns[slot].active_ms = f->engine.now_ms;
    room_accepted(&f->cs, &f->cs.conns[slot]);
    return f->cs.conns[slot].state == CONN_HEAD;
}

static void test_the_longest_idle_is_closed_for_a_new_one(void **state)
{
    struct fixture *f = *state;
    f->cs.room.spare = 2;
    for (uint32_t slot = 0; slot < 6; slot++) {
        accept_slot(f, slot);
        pass(f, 200);
    }
    receive(f, 0, GET("/a")); /* it moved */
    assert_int_equal(f->cs.stats.conns_shed_full, 0);
    accept_slot(f, 6);
    assert_int_equal(f->slots[0].closes, 0);
    assert_int_equal(f->slots[1].closes, 1);
    assert_int_equal(f->cs.stats.conns_shed_full, 1);
    closed(f, 1);
    accept_slot(f, 1);
    assert_int_equal(f->slots[2].closes, 1);
    assert_int_equal(f->cs.stats.conns_shed_full, 2);
}

static void test_who_moved_a_moment_ago_is_not_closed(void **state)
{
    struct fixture *f = *state;
    f->cs.room.spare = 2;
    for (uint32_t slot = 0; slot < MAX; slot++)
        accept_slot(f, slot);
    assert_int_equal(f->cs.stats.conns_shed_full, 0);
    pass(f, ROOM_IDLE_MS + 100);
    assert_int_equal(f->cs.stats.conns_shed_full, 2);
}

static void test_a_request_that_waits_for_us_is_not_closed(void **state)
{
    struct fixture *f = *state;
    f->cs.room.spare = 1;
    f->waits = MAX;
    for (uint32_t slot = 0; slot < MAX; slot++) {
        accept_slot(f, slot);
        receive(f, slot, GET("/slow"));
    }
    pass(f, 300);
    assert_int_equal(f->cs.stats.conns_shed_full, 0);
}

static void test_patience_shrinks_with_the_fill(void **state)
{
    struct fixture *f = *state;
    f->cs.room.spare = 0;
    for (uint32_t slot = 0; slot < MAX / 2; slot++)
        accept_slot(f, slot);
    pass(f, 100);
    assert_int_equal(f->cs.patience.idle_ms, 75000);
    for (uint32_t slot = MAX / 2; slot < MAX; slot++)
        accept_slot(f, slot);
    pass(f, 100);
    assert_int_equal(f->cs.patience.idle_ms, 7500);
    assert_int_equal(f->cs.patience.head_ms, 1000);
    pass(f, 7400 + WHEEL_SPAN_MS);
    for (uint32_t slot = 0; slot < MAX; slot++)
        assert_int_equal(f->slots[slot].closes, 1);
}

static void test_patience_shrinks_with_the_memory(void **state)
{
    static struct budget budget;
    struct fixture *f = *state;
    budget_init(&budget, 1024 * 1024);
    f->cs.purse.budget = &budget;
    assert_true(purse_take(&f->cs.purse, 1000 * 1024));
    accept_slot(f, 0);
    pass(f, 100);
    assert_true(f->cs.patience.body_ms < 2000);
    purse_give(&f->cs.purse, 1000 * 1024);
}

static void test_a_client_has_its_share_and_others_theirs(void **state)
{
    struct fixture *f = with_peers(state, 2);
    assert_true(connect_from(f, 0, "192.0.2.1"));
    assert_true(connect_from(f, 1, "192.0.2.1"));
    assert_false(connect_from(f, 2, "192.0.2.1"));
    assert_true(connect_from(f, 3, "192.0.2.2"));
    assert_int_equal(f->cs.stats.conns_shed_client, 1);
    room_closed(&f->cs, &f->cs.conns[0]);
    assert_true(connect_from(f, 4, "192.0.2.1"));
}

static void told(struct fixture *f, uint32_t slot, const char *address)
{
    struct sockaddr_in in = {.sin_family = AF_INET};
    struct sockaddr_storage peer = {0};
    assert_int_equal(inet_pton(AF_INET, address, &in.sin_addr), 1);
    memcpy(&peer, &in, sizeof(in));
    conns_events.peer_told(&f->cs, slot, &peer);
}

static struct fixture *with_questions(void **state, uint32_t client_max, uint32_t client_from)
{
    struct fixture *f = *state;
    f->cs.client_max = client_max;
    f->cs.client_from = client_from;
    assert_int_equal(room_init(&f->cs), 0);
    f->cs.room.spare = 0;
    return f;
}

static void test_addresses_are_asked_for_once_shares_hold(void **state)
{
    struct fixture *f = with_questions(state, 2, 4);
    for (uint32_t slot = 0; slot < 3; slot++)
        accept_slot(f, slot);
    assert_int_equal(f->slots[0].asked, 0);
    accept_slot(f, 3);
    for (uint32_t slot = 0; slot < 4; slot++)
        assert_int_equal(f->slots[slot].asked, 1);
    for (uint32_t slot = 0; slot < 3; slot++)
        told(f, slot, "192.0.2.1"); /* one more than its share, but it was there before */
    told(f, 3, "192.0.2.2");
    assert_int_equal(f->cs.stats.conns_shed_client, 0);
    accept_slot(f, 4);
    accept_slot(f, 5);
    assert_int_equal(f->slots[0].asked, 1);
    told(f, 4, "192.0.2.1");
    told(f, 5, "192.0.2.2");
    told(f, 5, "192.0.2.1"); /* said twice it is counted once */
    assert_int_equal(f->slots[4].closes, 1);
    assert_int_equal(f->slots[5].closes, 0);
    assert_int_equal(f->cs.stats.conns_shed_client, 1);
}

static void test_who_came_while_there_was_room_is_asked_for_the_next_time(void **state)
{
    struct fixture *f = with_questions(state, 1, 2);
    accept_slot(f, 0);
    accept_slot(f, 1);
    told(f, 0, "192.0.2.1");
    told(f, 1, "192.0.2.2");
    for (uint32_t slot = 0; slot < 2; slot++) {
        conn_close(&f->cs, &f->cs.conns[slot]);
        closed(f, slot);
    }
    accept_slot(f, 2);
    assert_int_equal(f->slots[2].asked, 0);
    accept_slot(f, 3);
    assert_int_equal(f->slots[2].asked, 1);
    told(f, 2, "192.0.2.1"); /* the places of those who left are free */
    told(f, 3, "192.0.2.1");
    assert_int_equal(f->slots[2].closes, 0);
    assert_int_equal(f->slots[3].closes, 1);
}

static void test_an_ipv6_client_is_a_64_and_a_site_a_48(void **state)
{
    struct fixture *f = with_peers(state, 1);
    assert_true(connect_from(f, 0, "2001:db8:1:1::1"));
    assert_false(connect_from(f, 1, "2001:db8:1:1::2"));
    assert_true(connect_from(f, 1, "2001:db8:1:2::1"));
    assert_true(connect_from(f, 2, "2001:db8:1:3::1"));
    assert_true(connect_from(f, 3, "2001:db8:1:4::1"));
    assert_false(connect_from(f, 4, "2001:db8:1:5::1"));
    assert_true(connect_from(f, 4, "2001:db8:2:5::1"));
}

static bool is_proxy(void *ctx, const struct ip *peer)
{
    (void)ctx;
    return peer->bytes[15] == 9;
}

static void test_a_proxy_has_no_share(void **state)
{
    struct fixture *f = with_peers(state, 1);
    f->cs.handler.is_proxy = is_proxy;
    for (uint32_t slot = 0; slot < 4; slot++)
        assert_true(connect_from(f, slot, "192.0.2.9"));
    for (uint32_t slot = 0; slot < 4; slot++)
        room_closed(&f->cs, &f->cs.conns[slot]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_the_longest_idle_is_closed_for_a_new_one),
        TEST(test_who_moved_a_moment_ago_is_not_closed),
        TEST(test_a_request_that_waits_for_us_is_not_closed),
        TEST(test_patience_shrinks_with_the_fill),
        TEST(test_patience_shrinks_with_the_memory),
        TEST(test_a_client_has_its_share_and_others_theirs),
        TEST(test_an_ipv6_client_is_a_64_and_a_site_a_48),
        TEST(test_a_proxy_has_no_share),
        TEST(test_addresses_are_asked_for_once_shares_hold),
        TEST(test_who_came_while_there_was_room_is_asked_for_the_next_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
