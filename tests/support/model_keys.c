#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "protocol/crc16.h"
#include "support/model.h"

#define UNDO_CAPACITY_MIN 256

static uint32_t name_hash(struct slice name) /* FNV-1a */
{
    uint32_t hash = 2166136261;

    for (size_t i = 0; i < name.bytes; i++)
        hash = (hash ^ (uint8_t)name.at[i]) * 16777619;
    return hash;
}

uint32_t model_find(struct model *m, struct slice name, bool make)
{
    assert(name.bytes > 0 && name.bytes <= MODEL_NAME_BYTES_MAX);
    for (uint32_t probe = name_hash(name), i = 0; i < m->keys_max; i++, probe++) {
        struct model_key *k = &m->keys[probe % m->keys_max];
        if (k->name_bytes == name.bytes && memcmp(k->name, name.at, name.bytes) == 0)
            return probe % m->keys_max;
        if (k->name_bytes)
            continue;
        if (!make)
            return MODEL_NO_KEY;
        k->name_bytes = (uint8_t)name.bytes;
        memcpy(k->name, name.at, name.bytes);
        return probe % m->keys_max;
    }
    abort(); /* a scenario with more names than there is room for */
}

bool model_has(struct model *m, struct slice name)
{
    uint32_t key = model_find(m, name, false);

    return key != MODEL_NO_KEY && m->keys[key].value.type != MODEL_NONE;
}

static struct model_undo *undo_slot(struct model *m)
{
    if (m->undo_count == m->undo_capacity) {
        m->undo_capacity = m->undo_capacity ? 2 * m->undo_capacity : UNDO_CAPACITY_MIN;
        m->undo = realloc(m->undo, m->undo_capacity * sizeof(*m->undo));
        assert(m->undo);
    }
    return &m->undo[m->undo_count++];
}

void model_write(struct model *m, uint32_t key, const struct model_value *value, uint32_t tag, int64_t delta)
{
    struct model_key *k = &m->keys[key];

    m->step += !m->in_exec;
    if (!m->deposed)
        *undo_slot(m) =
            (struct model_undo){.key = key, .tag = tag, .delta = delta, .step = m->step, .before = k->value};
    k->value = *value;
    k->version++;
}

struct model_value model_string(struct slice text)
{
    struct model_value v = {.type = MODEL_STRING, .bytes = (uint8_t)text.bytes};

    assert(text.bytes <= MODEL_VALUE_BYTES_MAX);
    memcpy(v.text, text.at, text.bytes);
    return v;
}

/* As strict as Redis: no sign but '-', no leading zero, no space. */
bool model_parse_integer(struct slice text, int64_t *out)
{
    bool negative = text.bytes && text.at[0] == '-';
    uint64_t value = 0, limit = (uint64_t)INT64_MAX + negative;

    if (text.bytes <= negative || text.bytes > 20)
        return false;
    if (text.at[negative] == '0' && (negative || text.bytes > 1))
        return false;
    for (size_t i = negative; i < text.bytes; i++) {
        uint64_t digit = (uint64_t)(text.at[i] - '0');
        if (digit > 9 || value > (limit - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *out = (int64_t)(negative ? 0 - value : value);
    return true;
}

bool model_integer(struct model *m, struct slice name, int64_t *out)
{
    uint32_t key = model_find(m, name, false);

    *out = 0;
    if (key == MODEL_NO_KEY || m->keys[key].value.type == MODEL_NONE)
        return true;
    const struct model_value *v = &m->keys[key].value;
    return v->type == MODEL_STRING && model_parse_integer((struct slice){v->text, v->bytes}, out);
}

static void model_tell_taken_back(struct model *m, const struct model_undo *u)
{
    const struct model_key *k = &m->keys[u->key];

    if (u->delta && m->watcher.added)
        m->watcher.added(m->watcher.ctx, u->tag, (struct slice){k->name, k->name_bytes}, -u->delta, true);
}

static void model_take_back(struct model *m, const struct model_undo *u)
{
    m->keys[u->key].value = u->before;
    m->keys[u->key].version++;
    model_tell_taken_back(m, u);
}

uint64_t model_roll_back(struct model *m, uint64_t steps)
{
    uint64_t taken = 0;

    m->lineage++; /* it was promoted, or started anew */
    while (m->undo_count > m->undo_floor) {
        uint64_t step = m->undo[m->undo_count - 1].step;
        if (taken == steps)
            break;
        for (taken++; m->undo_count > m->undo_floor && m->undo[m->undo_count - 1].step == step;)
            model_take_back(m, &m->undo[--m->undo_count]);
    }
    return taken;
}

void model_flushall(struct model *m)
{
    m->undo_floor = 0;
    while (m->undo_count)
        model_tell_taken_back(m, &m->undo[--m->undo_count]);
    for (uint32_t i = 0; i < m->keys_max; i++) {
        m->keys[i].version += m->keys[i].value.type != MODEL_NONE;
        m->keys[i].value = (struct model_value){0};
    }
}

/* ---- between servers ---- */

static void undo_append(struct model *m, const struct model_undo *u) { *undo_slot(m) = *u; }

void model_copy(struct model *to, const struct model *from)
{
    uint64_t changed = 0; /* more than either knows of any key */

    assert(to->keys_max == from->keys_max);
    for (uint32_t i = 0; i < to->keys_max; i++) {
        changed = to->keys[i].version > changed ? to->keys[i].version : changed;
        changed = from->keys[i].version > changed ? from->keys[i].version : changed;
    }
    memcpy(to->keys, from->keys, to->keys_max * sizeof(*to->keys));
    to->lineage++;
    for (uint32_t i = 0; i < to->keys_max; i++)
        to->keys[i].version = changed + 1;
    to->undo_count = 0;
    for (uint32_t i = 0; i < from->undo_count; i++)
        undo_append(to, &from->undo[i]);
    to->undo_floor = from->undo_floor;
    to->step = from->step;
    to->deposed = false;
}

static uint32_t key_in_slot(const struct model *m, uint16_t slot)
{
    for (uint32_t i = 0; i < m->keys_max; i++) {
        const struct model_key *k = &m->keys[i];
        if (k->value.type != MODEL_NONE && key_slot((struct slice){k->name, k->name_bytes}) == slot)
            return i;
    }
    return MODEL_NO_KEY;
}

/* What was done to `key` goes to `to`, and cannot be forgotten there: a key that has arrived is on the replica, too. */
static void undo_migrate(struct model *from, uint32_t key, struct model *to, uint32_t to_key)
{
    uint32_t kept = 0, floor = 0;

    for (uint32_t i = 0; i < from->undo_count; i++) {
        struct model_undo u = from->undo[i];
        if (u.key == key) {
            u.key = to_key;
            undo_append(to, &u);
            continue;
        }
        floor += i < from->undo_floor;
        from->undo[kept++] = u;
    }
    from->undo_count = kept;
    from->undo_floor = floor;
    to->undo_floor = to->undo_count;
}

/* What was done to keys of the slot that are gone. */
static void undo_migrate_gone(struct model *from, struct model *to, uint16_t slot)
{
    for (uint32_t i = from->undo_count; i-- > 0;) {
        if (i >= from->undo_count)
            continue;
        uint32_t key = from->undo[i].key;
        const struct model_key *k = &from->keys[key];
        struct slice name = {k->name, k->name_bytes};
        if (key_slot(name) == slot)
            undo_migrate(from, key, to, model_find(to, name, true));
    }
}

bool model_migrate(struct model *from, struct model *to, uint16_t slot)
{
    uint32_t key = key_in_slot(from, slot);

    if (key == MODEL_NO_KEY) {
        undo_migrate_gone(from, to, slot);
        return false;
    }
    struct model_key *source = &from->keys[key];
    uint32_t to_key = model_find(to, (struct slice){source->name, source->name_bytes}, true);
    undo_migrate(from, key, to, to_key);
    to->keys[to_key].value = source->value;
    to->keys[to_key].version++;
    source->value = (struct model_value){0};
    source->version++;
    return true;
}
