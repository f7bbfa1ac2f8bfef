#pragma once
/* Which hits a namespace takes, from the text of a file. What the file does not speak of is taken as before.
 *
 *   # NAMESPACE or *   RULE
 *   blog   origin https://example.org     hits must come from a page of this origin (Fetch standard: field Origin) …
 *   blog   token                          … or bring a token that may hit here (tokens.h)
 *   blog   key posts-*                    only these keys. A last * stands for anything
 *
 * "*" is for the namespaces that have no line of their own. Rules of one kind are alternatives, and so are origin and
 * token.
 *
 * A hit costs O(log rules), whatever they are.
 *
 * Thread: made by main, then read only. */

#include "http/request.h"
#include "policy/reason.h"
#include "policy/tokens.h"

#define ACCESS_RULES_MAX 10000

struct access;

/* Cuts `text` into pieces and keeps it (owned, free()), also when it fails. Returns 0, or -EINVAL or -ENOMEM with a
 * sentence. */
int access_create(struct access **out, char *text, struct error *err);
uint32_t access_count(const struct access *a); /* rules */
void access_destroy(struct access *a);         /* NULL is allowed */
/* `tokens` may be NULL, and then no token is good. Returns API_ALLOWED when the hit is taken. */
enum api_refusal access_check(const struct access *a, const struct tokens *tokens, const struct http_request *r,
                              struct slice name);
