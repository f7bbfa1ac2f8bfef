#include "forms/one_key.h"

const char *one_key_read(const struct http_request *r, struct slice path, char scratch[NAME_BYTES_MAX],
                         struct slice *name, enum name_error *error)
{
    struct slice parameter, value, key = {0}, query = r->query;

    *error = NAME_OK;
    while (query.at && http_query_next(&query, &parameter, &value)) {
        if (!http_query_is(parameter, SLICE("key")))
            continue;
        if (key.at)
            return "too_many_keys";
        key = value;
    }
    *error = name_from_path(path, scratch, name);
    if (*error == NAME_OK && key.at)
        return "too_many_keys";
    if (*error == NAME_NO_KEY && key.at)
        *error = name_from_query(path, key, scratch, name);
    return *error == NAME_OK ? NULL : name_error_text(*error);
}
