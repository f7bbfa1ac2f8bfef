/* Planted: what is remembered of one name of a namespace answers for all of them. */
#include "tally/answers.h"
#include "tally/name.h"

void __real_answers_put(struct answers *a, struct slice name, const struct stored_answer *answer);
void __wrap_answers_put(struct answers *a, struct slice name, const struct stored_answer *answer);
bool __real_answers_find(const struct answers *a, struct slice name, uint64_t since_ms, struct stored_answer *out);
bool __wrap_answers_find(const struct answers *a, struct slice name, uint64_t since_ms, struct stored_answer *out);

void __wrap_answers_put(struct answers *a, struct slice name, const struct stored_answer *answer)
{
    __real_answers_put(a, name_ns(name), answer);
}

bool __wrap_answers_find(const struct answers *a, struct slice name, uint64_t since_ms, struct stored_answer *out)
{
    return __real_answers_find(a, name_ns(name), since_ms, out);
}
