#include "moving/page.h"

#include <errno.h>
#include <stdlib.h>

#define CAPACITY_MIN 1024

void page_fini(struct page *p)
{
    buf_fini(&p->text);
    free(p->items);
    *p = (struct page){0};
}

void page_clear(struct page *p)
{
    buf_clear(&p->text);
    p->count = 0;
}

static int page_grow(struct page *p)
{
    uint32_t capacity = p->capacity ? 2 * p->capacity : CAPACITY_MIN;
    struct item *items = realloc(p->items, capacity * sizeof(*items));

    if (!items)
        return -ENOMEM;
    p->items = items;
    p->capacity = capacity;
    return 0;
}

int page_add(struct page *p, const struct entry *e)
{
    if (p->count == p->capacity && page_grow(p) < 0)
        return -ENOMEM;
    p->items[p->count] = (struct item){
        .at = (uint32_t)p->text.bytes,
        .bytes = (uint16_t)e->text.bytes,
        .from = (uint16_t)e->from,
        .to = (uint16_t)e->to,
        .total = e->total,
    };
    buf_append_slice(&p->text, e->text);
    if (p->text.failed)
        return -ENOMEM;
    p->count++;
    return 0;
}

static int by_from(const void *a, const void *b)
{
    const struct item *x = a, *y = b;
    return (int)x->from - (int)y->from;
}

static int by_to(const void *a, const void *b)
{
    const struct item *x = a, *y = b;
    return x->to != y->to ? (int)x->to - (int)y->to : by_from(a, b);
}

void page_sort(struct page *p, bool by_new)
{
    if (p->count > 0)
        qsort(p->items, p->count, sizeof(*p->items), by_new ? by_to : by_from);
}

struct entry page_entry(const struct page *p, const struct item *item)
{
    return (struct entry){
        .text = {p->text.data + item->at, item->bytes}, .total = item->total, .from = item->from, .to = item->to};
}
