#include "support/model_sets.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#define MEMBERS_MAX 32
#define MEMBER_BYTES_MAX 16

struct member {
    int64_t score;
    uint8_t bytes;
    char name[MEMBER_BYTES_MAX];
};

struct set {
    uint32_t count;
    struct member at[MEMBERS_MAX];
};

/* A value holds its members one behind the other: the score, the length of the name, and the name. */
static void load(struct set *s, const struct model_value *v)
{
    s->count = 0;
    for (size_t i = 0; v->type == MODEL_SET && i < v->bytes;) {
        struct member *e = &s->at[s->count++];
        memcpy(&e->score, v->text + i, sizeof(e->score));
        e->bytes = (uint8_t)v->text[i + sizeof(e->score)];
        memcpy(e->name, v->text + i + sizeof(e->score) + 1, e->bytes);
        i += sizeof(e->score) + 1 + e->bytes;
    }
}

static void store(struct model *m, const struct model_client *c, uint32_t key, const struct set *s)
{
    struct model_value v = {.type = s->count ? MODEL_SET : MODEL_NONE};

    for (const struct member *e = s->at; e < s->at + s->count; e++) {
        assert(v.bytes + sizeof(e->score) + 1 + e->bytes <= MODEL_VALUE_BYTES_MAX);
        memcpy(v.text + v.bytes, &e->score, sizeof(e->score));
        v.text[v.bytes + sizeof(e->score)] = (char)e->bytes;
        memcpy(v.text + v.bytes + sizeof(e->score) + 1, e->name, e->bytes);
        v.bytes = (uint8_t)(v.bytes + sizeof(e->score) + 1 + e->bytes);
    }
    model_write(m, key, &v, c->tag, 0);
}

static struct slice name_of(const struct member *e) { return (struct slice){e->name, e->bytes}; }

static bool is_above(const struct member *a, const struct member *b)
{
    return a->score > b->score || (a->score == b->score && slice_compare(name_of(a), name_of(b)) > 0);
}

/* The lowest comes first. */
static void insert(struct set *s, const struct member *one)
{
    uint32_t at = s->count++;

    assert(s->count <= MEMBERS_MAX);
    for (; at > 0 && is_above(&s->at[at - 1], one); at--)
        s->at[at] = s->at[at - 1];
    s->at[at] = *one;
}

static uint32_t find(const struct set *s, struct slice name)
{
    uint32_t i = 0;

    while (i < s->count && !slice_equals(name_of(&s->at[i]), name))
        i++;
    return i;
}

static void remove_at(struct set *s, uint32_t at)
{
    s->count--;
    for (; at < s->count; at++)
        s->at[at] = s->at[at + 1];
}

/* false: it is answered, as the key holds something else. */
static bool open_set(struct model *m, const struct model_command *cmd, struct set *s, struct buf *out)
{
    uint32_t key = model_find(m, cmd->args[1], false);
    const struct model_value *v = key == MODEL_NO_KEY ? NULL : &m->keys[key].value;

    s->count = 0;
    if (v && v->type != MODEL_NONE && v->type != MODEL_SET) {
        buf_printf(out, "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n");
        return false;
    }
    if (v)
        load(s, v);
    return true;
}

static void close_set(struct model *m, const struct model_client *c, const struct model_command *cmd,
                      const struct set *s)
{
    store(m, c, model_find(m, cmd->args[1], true), s);
}

void model_zadd(struct model *m, struct model_client *c, const struct model_command *cmd, struct buf *out)
{
    struct set s;
    bool greater = slice_equals(cmd->args[2], SLICE("GT")), changed = false;
    int added = 0;

    if (!open_set(m, cmd, &s, out))
        return;
    for (uint32_t i = 2 + greater; i + 1 < cmd->count; i += 2) {
        struct member one = {.bytes = (uint8_t)cmd->args[i + 1].bytes};
        uint32_t at = find(&s, cmd->args[i + 1]);
        assert(cmd->args[i + 1].bytes <= MEMBER_BYTES_MAX);
        memcpy(one.name, cmd->args[i + 1].at, one.bytes);
        model_parse_integer(cmd->args[i], &one.score);
        bool there = at < s.count;
        if (there && (s.at[at].score == one.score || (greater && s.at[at].score > one.score)))
            continue;
        if (there)
            remove_at(&s, at);
        insert(&s, &one);
        added += !there;
        changed = true;
    }
    if (changed)
        close_set(m, c, cmd, &s);
    buf_printf(out, ":%d\r\n", added);
}

void model_zrem(struct model *m, struct model_client *c, const struct model_command *cmd, struct buf *out)
{
    struct set s;

    if (!open_set(m, cmd, &s, out))
        return;
    uint32_t at = find(&s, cmd->args[2]);
    bool there = at < s.count;
    if (there) {
        remove_at(&s, at);
        close_set(m, c, cmd, &s);
    }
    buf_printf(out, ":%d\r\n", there);
}

void model_zcount(struct model *m, struct model_client *c, const struct model_command *cmd, struct buf *out)
{
    struct set s;
    int64_t lowest = 0;
    uint32_t count = 0;
    (void)c;

    if (!open_set(m, cmd, &s, out))
        return;
    model_parse_integer(cmd->args[2], &lowest);
    for (uint32_t i = 0; i < s.count; i++)
        count += s.at[i].score >= lowest;
    buf_printf(out, ":%u\r\n", count);
}

void model_zrevrange(struct model *m, struct model_client *c, const struct model_command *cmd, struct buf *out)
{
    struct set s;
    char score[24];
    (void)c;

    if (!open_set(m, cmd, &s, out))
        return;
    buf_printf(out, "*%u\r\n", 2 * s.count);
    for (uint32_t i = s.count; i-- > 0;) {
        int bytes = snprintf(score, sizeof(score), "%" PRId64, s.at[i].score);
        buf_printf(out, "$%u\r\n%.*s\r\n$%d\r\n%s\r\n", s.at[i].bytes, (int)s.at[i].bytes, s.at[i].name, bytes, score);
    }
}

void model_zremrangebyrank(struct model *m, struct model_client *c, const struct model_command *cmd, struct buf *out)
{
    struct set s;
    int64_t last = 0;
    uint32_t removed = 0;

    if (!open_set(m, cmd, &s, out))
        return;
    model_parse_integer(cmd->args[3], &last);
    for (int64_t left = (int64_t)s.count + last + 1; left > 0 && s.count; left--, removed++)
        remove_at(&s, 0);
    if (removed)
        close_set(m, c, cmd, &s);
    buf_printf(out, ":%u\r\n", removed);
}

uint32_t model_set_read(struct model *m, struct slice key, struct slice member, bool *there, int64_t *score)
{
    struct set s = {0};
    uint32_t at = model_find(m, key, false);

    if (at != MODEL_NO_KEY)
        load(&s, &m->keys[at].value);
    uint32_t i = find(&s, member);
    *there = i < s.count;
    *score = *there ? s.at[i].score : 0;
    return s.count;
}
