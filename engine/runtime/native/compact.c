/* A compact visitor: what plain lines leave behind, in numbers beside one another.

   It is what ``visitor.Visitor`` would be after the same events: one visit, its open pages, and the
   log of messages. It can say that as a record at any time. Whatever is more than that (another
   visit, many pages, a long log, a pause that ends the visit) makes it a record for good. */

#include "plain.h"

#define PAGES 16
/* From this length on the log is searched by strategy: in buckets, each a chain from the youngest. */
#define LONG 32
#define BUCKETS 256

Compact *
compact_new(const Line *line, PyObject *visitor)
{
    Compact *compact = PyMem_Calloc(1, sizeof(Compact) + PAGES * sizeof(OpenPage));
    if (compact == NULL)
        return (Compact *)PyErr_NoMemory();
    compact->pages = (OpenPage *)(compact + 1);
    compact->visitor = Py_NewRef(visitor);
    compact->visit = same_span(line->texts[VISIT], span_of(visitor)) ? Py_NewRef(visitor)
                                                                     : text_of(line->texts[VISIT]);
    compact->now = compact->started = line->time;
    if (compact->visit == NULL) {
        compact_free(compact);
        return NULL;
    }
    return compact;
}

void
compact_free(Compact *compact)
{
    if (compact == NULL)
        return;
    for (int n = 0; n < compact->page_count; n++)
        Py_DECREF(compact->pages[n].name);
    for (int n = 0; n < compact->kept_count; n++)
        Py_DECREF(compact->kept[n].page);
    PyMem_Free(compact->kept);
    PyMem_Free(compact->buckets);
    PyMem_Free(compact->memory.memos);
    Py_XDECREF(compact->visitor);
    Py_XDECREF(compact->visit);
    PyMem_Free(compact);
}

static OpenPage *
page_of(const Compact *compact, Span name)
{
    for (int n = 0; n < compact->page_count; n++) {
        PyObject *known = compact->pages[n].name;
        bool same = name.text == NULL ? known == Py_None
                                      : known != Py_None && same_span(span_of(known), name);
        if (same)
            return &compact->pages[n];
    }
    return NULL;
}

bool
compact_admits(const Compact *compact, const Line *line, long long expiry)
{
    return line->time - compact->now < expiry
           && same_span(line->texts[VISIT], span_of(compact->visit))
           && (compact->page_count < PAGES || page_of(compact, line->texts[PAGE]) != NULL);
}

static bool
is_named(const Line *line, PyObject *name)
{
    return same_span(line->texts[NAME], span_of(name));
}

PyObject *
compact_open(Compact *compact, const Line *line)
{
    compact->now = line->time > compact->now ? line->time : compact->now;
    compact->events++;
    OpenPage *page = page_of(compact, line->texts[PAGE]);
    if (page == NULL) {
        PyObject *name = text_of(line->texts[PAGE]);
        if (name == NULL)
            return NULL;
        page = &compact->pages[compact->page_count++];
        *page = (OpenPage){name, compact->events, 0};
    }
    if (is_named(line, names.page_entered)) {
        compact->entered++;
        page->entered = compact->events;
    }
    return page->name;
}

/* visitor.Visitor.close_page */
void
compact_close(Compact *compact, PyObject *name)
{
    for (int n = 0; n < compact->kept_count; n++)
        if (compact->kept[n].page == name)
            compact->kept[n].waiting = false;
    int place = 0;
    while (compact->pages[place].name != name)
        place++;
    int after = --compact->page_count - place;
    memmove(&compact->pages[place], &compact->pages[place + 1], after * sizeof(OpenPage));
    Py_DECREF(name);
}

static short *
bucket_of(const Compact *compact, const Rule *rule)
{
    return &compact->buckets[((uintptr_t)rule->strategy >> 4) % BUCKETS];
}

static void
bucket_add(Compact *compact, int number)
{
    short *bucket = bucket_of(compact, compact->kept[number].message.rule);
    compact->kept[number].older = *bucket;
    *bucket = (short)number;
}

/* One more message, with buckets where the log is long enough. */
static int
make_room(Compact *compact)
{
    if (compact->kept_count == compact->kept_room) {
        int room = compact->kept_room ? 2 * compact->kept_room : 2;
        Kept *kept = PyMem_Realloc(compact->kept, room * sizeof(Kept));
        if (kept == NULL)
            return -1;
        compact->kept = kept;
        compact->kept_room = room;
    }
    if (compact->kept_count < LONG || compact->buckets != NULL)
        return 0;
    compact->buckets = PyMem_New(short, BUCKETS);
    if (compact->buckets == NULL)
        return -1;
    for (int n = 0; n < BUCKETS; n++)
        compact->buckets[n] = -1;
    for (int n = 0; n < compact->kept_count; n++)
        bucket_add(compact, n);
    return 0;
}

/* How many messages of the strategy are on the log. */
static int
number_of(const Compact *compact, const Rule *rule)
{
    int n = compact->buckets != NULL ? *bucket_of(compact, rule) : compact->kept_count - 1;
    for (; n >= 0; n = compact->buckets != NULL ? compact->kept[n].older : n - 1)
        if (compact->kept[n].message.rule->strategy == rule->strategy)
            return compact->kept[n].message.number;
    return 0;
}

int
compact_keep(Compact *compact, Message *message, PyObject *page)
{
    if (make_room(compact)) {
        PyErr_NoMemory();
        return -1;
    }
    message->number = number_of(compact, message->rule) + 1;
    bool waiting = message->send->answerable == Py_True;
    compact->kept[compact->kept_count++] =
        (Kept){*message, Py_NewRef(page), compact->events, compact->now, waiting, -1};
    if (compact->buckets != NULL)
        bucket_add(compact, compact->kept_count - 1);
    return 0;
}

/* ---------------------------------------------------------------- as a record */

static int
put_number(PyObject *record, Slot slot, long long value)
{
    PyObject *number = PyLong_FromLongLong(value);
    if (number == NULL)
        return -1;
    put(record, slot, number);
    Py_DECREF(number);
    return 0;
}

/* A page or a visit; the rest of it is as in any new one. */
static PyObject *
record_new(PyTypeObject *type, const char *one, long long first, const char *two, long long second)
{
    PyObject *fields = Py_BuildValue("{sLsL}", one, first, two, second);
    PyObject *made = fields == NULL ? NULL : PyObject_Call((PyObject *)type, names.empty, fields);
    Py_XDECREF(fields);
    return made;
}

static int
pages_put(const Compact *compact, PyObject *visit)
{
    for (int n = 0; n < compact->page_count; n++) {
        const OpenPage *open = &compact->pages[n];
        PyObject *page = record_new(names.page.type, "opened", open->opened, "entered",
                                    open->entered);
        int failed = page == NULL
                     || PyDict_SetItem(AT(visit, names.visit.pages), open->name, page);
        Py_XDECREF(page);
        if (failed)
            return -1;
    }
    return 0;
}

static PyObject *
sent_of(const Compact *compact, const Kept *kept)
{
    const Rule *rule = kept->message.rule;
    const SendPlan *send = kept->message.send;
    PyObject *sent[] = {
        message_id(&kept->message, compact->visit),
        PyLong_FromLongLong(kept->time),
        PyLong_FromLong(kept->order),
        Py_NewRef(compact->visit),
        Py_NewRef(kept->page),
        Py_NewRef(rule->strategy),
        Py_NewRef(rule->group),
        Py_NewRef(send->message),
        PyBool_FromLong(kept->waiting),
        Py_NewRef(Py_False),
        Py_NewRef(Py_True),
        Py_NewRef(send->answerable == Py_True ? names.nothing : Py_None),
        Py_NewRef(rule->valid_for),
        Py_NewRef(Py_False),
        Py_NewRef(names.nothing),
        Py_NewRef(names.nothing),
        Py_NewRef(Py_None),
    };
    return tuple_of(names.sent, sizeof sent / sizeof *sent, sent);
}

static int
sends_put(const Compact *compact, PyObject *visitor, PyObject *visit)
{
    for (int n = 0; n < compact->kept_count; n++) {
        const Message *message = &compact->kept[n].message;
        PyObject *sent = sent_of(compact, &compact->kept[n]);
        PyObject *number = sent == NULL ? NULL : PyLong_FromLong(message->number);
        int failed = number == NULL
                     || PyList_Append(AT(visitor, names.visitor.sends), sent)
                     || PyDict_SetItem(AT(visit, names.visit.sent), message->rule->strategy, number);
        Py_XDECREF(number);
        Py_XDECREF(sent);
        if (failed)
            return -1;
    }
    return 0;
}

static int
visit_put(const Compact *compact, PyObject *visitor)
{
    PyObject *visit = record_new(names.visit.type, "started", compact->started, "last",
                                 compact->now);
    int failed = visit == NULL || put_number(visit, names.visit.opened, 1)
                 || put_number(visit, names.visit.entered, compact->entered)
                 || memory_put(&compact->memory, AT(visitor, names.visitor.memory),
                               AT(visit, names.visit.memory))
                 || pages_put(compact, visit) || sends_put(compact, visitor, visit)
                 || PyDict_SetItem(AT(visitor, names.visitor.visits), compact->visit, visit);
    Py_XDECREF(visit);
    return failed ? -1 : 0;
}

PyObject *
compact_record(const Compact *compact, PyObject *plan)
{
    PyObject *visitor = PyObject_CallMethodOneArg((PyObject *)names.visitor.type, names.new,
                                                  compact->visitor);
    PyObject *adopted = visitor == NULL ? NULL
                                        : PyObject_CallFunctionObjArgs(names.adopt, plan, visitor,
                                                                       NULL);
    Py_XDECREF(adopted);
    if (adopted == NULL || put_number(visitor, names.visitor.now, compact->now)
        || put_number(visitor, names.visitor.events, compact->events)
        || visit_put(compact, visitor))
        Py_CLEAR(visitor);
    return visitor;
}
