/* A table by texts, asked with bytes: open addresses, at most half full. */

#include "plain.h"

static SpanEntry *
place_of(const Spans *spans, Span key, uint64_t hash)
{
    Py_ssize_t mask = spans->room - 1;
    for (Py_ssize_t place = hash & mask;; place = (place + 1) & mask) {
        SpanEntry *entry = &spans->entries[place];
        if (entry->key == NULL
            || (entry->hash == hash && same_span(span_of(entry->key), key)))
            return entry;
    }
}

void *
spans_get(const Spans *spans, Span key, uint64_t hash)
{
    return spans->room == 0 ? NULL : place_of(spans, key, hash)->value;
}

static int
grow(Spans *spans)
{
    Spans more = {spans->used, spans->room ? 2 * spans->room : 16, NULL};
    more.entries = PyMem_Calloc(more.room, sizeof(SpanEntry));
    if (more.entries == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (Py_ssize_t n = 0; n < spans->room; n++) {
        SpanEntry *entry = &spans->entries[n];
        if (entry->key != NULL)
            *place_of(&more, span_of(entry->key), entry->hash) = *entry;
    }
    PyMem_Free(spans->entries);
    *spans = more;
    return 0;
}

int
spans_set(Spans *spans, PyObject *key, uint64_t hash, void *value)
{
    if (2 * spans->used >= spans->room && grow(spans))
        return -1;
    SpanEntry *entry = place_of(spans, span_of(key), hash);
    if (entry->key == NULL) {
        *entry = (SpanEntry){hash, Py_NewRef(key), NULL};
        spans->used++;
    }
    entry->value = value;
    return 0;
}

void
spans_free(Spans *spans)
{
    for (Py_ssize_t n = 0; n < spans->room; n++)
        Py_XDECREF(spans->entries[n].key);
    PyMem_Free(spans->entries);
    *spans = (Spans){0, 0, NULL};
}
