/* Records of Python, read and made where they lie: slots by their place, named tuples as tuples. */

#include "road.h"
#include <structmember.h>

Names names;

bool
same_text(PyObject *one, PyObject *other)
{
    if (one == other)
        return true;
    if (!PyUnicode_CheckExact(one) || !PyUnicode_CheckExact(other)
        || PyUnicode_GET_LENGTH(one) != PyUnicode_GET_LENGTH(other)
        || PyUnicode_KIND(one) != PyUnicode_KIND(other))
        return false;
    return memcmp(PyUnicode_DATA(one), PyUnicode_DATA(other),
                  PyUnicode_GET_LENGTH(one) * PyUnicode_KIND(one)) == 0;
}

void
put(PyObject *record, Slot slot, PyObject *value)
{
    PyObject *old = AT(record, slot);
    AT(record, slot) = Py_NewRef(value);
    Py_XDECREF(old);
}

int
pile_add(Pile *pile, PyObject *value)
{
    if (value == NULL)
        return -1;
    if (pile->count == pile->room) {
        bool few = pile->items == pile->few;
        PyObject **items = PyMem_Realloc(few ? NULL : pile->items,
                                         2 * pile->room * sizeof(PyObject *));
        if (items == NULL) {
            Py_DECREF(value);
            PyErr_NoMemory();
            return -1;
        }
        if (few)
            memcpy(items, pile->few, sizeof pile->few);
        pile->items = items;
        pile->room *= 2;
    }
    pile->items[pile->count++] = value;
    return 0;
}

PyObject *
pile_tuple(Pile *pile)
{
    if (pile->count == 0)
        return Py_NewRef(names.empty);
    PyObject *made = PyTuple_New(pile->count);
    for (Py_ssize_t n = 0; made != NULL && n < pile->count; n++)
        PyTuple_SET_ITEM(made, n, pile->items[n]);
    if (made != NULL)
        pile->count = 0;
    return made;
}

void
pile_free(Pile *pile)
{
    for (Py_ssize_t n = 0; n < pile->count; n++)
        Py_DECREF(pile->items[n]);
    if (pile->items != pile->few)
        PyMem_Free(pile->items);
}

PyObject *
tuple_of(PyTypeObject *type, Py_ssize_t count, PyObject **values)
{
    bool whole = true;
    for (Py_ssize_t n = 0; n < count; n++)
        whole = whole && values[n] != NULL;
    PyObject *made = whole ? type->tp_alloc(type, count) : NULL;
    for (Py_ssize_t n = 0; n < count; n++) {
        if (made != NULL)
            PyTuple_SET_ITEM(made, n, values[n]);
        else
            Py_XDECREF(values[n]);
    }
    return made;
}

int
choice(PyObject *text, const char *const *choices)
{
    for (int n = 0; choices[n] != NULL; n++)
        if (PyUnicode_CompareWithASCIIString(text, choices[n]) == 0)
            return n;
    return -1;
}

bool
whole(PyObject *number, long long *value)
{
    if (!PyLong_CheckExact(number))
        return false;
    int overflow;
    *value = PyLong_AsLongLongAndOverflow(number, &overflow);
    return overflow == 0 && *value < (1LL << 62) && *value > -(1LL << 62);
}

/* ---------------------------------------------------------------- memory of a road */

void *
arena_new(Arena *arena, size_t count, size_t size)
{
    Block *block = PyMem_Calloc(1, sizeof(Block) + (count ? count : 1) * size);
    if (block == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    block->next = arena->blocks;
    arena->blocks = block;
    return block + 1;
}

PyObject *
arena_hold(Arena *arena, PyObject *value)
{
    if (value == NULL)
        return NULL;
    int failed = PyList_Append(arena->held, value);
    Py_DECREF(value);
    return failed ? NULL : value;
}

void
arena_free(Arena *arena)
{
    for (Block *block = arena->blocks, *next; block != NULL; block = next) {
        next = block->next;
        PyMem_Free(block);
    }
    arena->blocks = NULL;
}

PyObject *
held(Arena *arena, PyObject *object, const char *name)
{
    /* Interned: what looks attributes up remembers the names that it was asked for. */
    PyObject *key = PyUnicode_InternFromString(name);
    PyObject *value = key == NULL ? NULL : PyObject_GetAttr(object, key);
    Py_XDECREF(key);
    return arena_hold(arena, value);
}

/* ---------------------------------------------------------------- the moment at hand */

PyObject *
moment_scene(Moment *moment)
{
    if (moment->scene != NULL)
        return moment->scene;
    PyObject *scene = names.scene.type->tp_alloc(names.scene.type, 0);
    if (scene == NULL)
        return NULL;
    AT(scene, names.scene.plan) = Py_NewRef(moment->conditions);
    AT(scene, names.scene.event) = Py_NewRef(moment->event);
    AT(scene, names.scene.now) = Py_NewRef(moment->now);
    AT(scene, names.scene.visitor) = Py_NewRef(moment->visitor);
    AT(scene, names.scene.visit) = Py_NewRef(moment->visit);
    AT(scene, names.scene.before) = Py_NewRef(names.nothing_replaced);
    AT(scene, names.scene.names) = Py_NewRef(names.no_names);
    PyObject *in = moment->in_categories;
    AT(scene, names.scene.categories) = Py_NewRef(in == NULL ? Py_None : in);
    return moment->scene = scene;
}

void
moment_is_in(Moment *moment, PyObject *categories)
{
    Py_XSETREF(moment->in_categories, Py_NewRef(categories));
    if (moment->scene != NULL)
        put(moment->scene, names.scene.categories, categories);
}

int
found_add(Found *found, const int *numbers, int count)
{
    if (found->count + count > found->room) {
        int room = 2 * (found->count + count);
        bool few = found->items == found->few;
        int *items = PyMem_Realloc(few ? NULL : found->items, room * sizeof(int));
        if (items == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        if (few)
            memcpy(items, found->few, found->count * sizeof(int));
        found->items = items;
        found->room = room;
    }
    memcpy(found->items + found->count, numbers, count * sizeof(int));
    found->count += count;
    return 0;
}

static int
by_number(const void *one, const void *other)
{
    return *(const int *)one - *(const int *)other;
}

void
found_once(Found *found)
{
    if (found->count == 2 && found->items[0] > found->items[1]) {
        int first = found->items[1];
        found->items[1] = found->items[0];
        found->items[0] = first;
    }
    else if (found->count > 2)
        qsort(found->items, found->count, sizeof(int), by_number);
    int kept = 0;
    for (int n = 0; n < found->count; n++)
        if (kept == 0 || found->items[kept - 1] != found->items[n])
            found->items[kept++] = found->items[n];
    found->count = kept;
}

void
found_free(Found *found)
{
    if (found->items != found->few)
        PyMem_Free(found->items);
}

/* ---------------------------------------------------------------- what Python calls what */

typedef struct { const char *name; Slot *slot; } Field;

/* The places of the slots of a class; an error when one of them is not there. */
static int
bind_slots(PyObject *module, const char *name, PyTypeObject **type, const Field *fields)
{
    PyObject *found = PyObject_GetAttrString(module, name);
    if (found == NULL)
        return -1;
    *type = (PyTypeObject *)found; /* held for good: the module holds it too */
    for (; fields->name != NULL; fields++) {
        PyObject *member = PyObject_GetAttrString(found, fields->name);
        if (member == NULL)
            return -1;
        bool is_slot = Py_IS_TYPE(member, &PyMemberDescr_Type)
                       && ((PyMemberDescrObject *)member)->d_member->type == T_OBJECT_EX;
        if (is_slot)
            *fields->slot = ((PyMemberDescrObject *)member)->d_member->offset;
        Py_DECREF(member);
        if (!is_slot) {
            PyErr_Format(PyExc_ImportError, "%s.%s is no slot", name, fields->name);
            return -1;
        }
    }
    return 0;
}

#define F(record, field) {#field, &names.record.field}
#define END {NULL, NULL}

static int
bind_records(PyObject *visitors, PyObject *scenes, PyObject *events)
{
    const Field event[] = {
        F(event, name), F(event, time), F(event, visitor), F(event, visit), F(event, page),
        F(event, id), F(event, url), F(event, title), F(event, language), F(event, category),
        F(event, data), F(event, agents), F(event, pacing), F(event, draw), END};
    const Field visitor[] = {
        F(visitor, id), F(visitor, now), F(visitor, events), F(visitor, version),
        F(visitor, facts), F(visitor, visits), F(visitor, sends), F(visitor, memory), F(visitor, timers), F(visitor, quiet),
        F(visitor, heard_of), F(visitor, heard), F(visitor, ledger), END};
    const Field visit[] = {
        F(visit, last), F(visit, opened), F(visit, entered), F(visit, facts), F(visit, pages),
        F(visit, memory), F(visit, sent), END};
    const Field page[] = {F(page, opened), F(page, entered), F(page, memory), END};
    const Field scene[] = {
        F(scene, plan), F(scene, event), F(scene, now), F(scene, visitor), F(scene, visit),
        F(scene, before), F(scene, names), {"_categories", &names.scene.categories}, END};
    return bind_slots(events, "Event", &names.event.type, event)
           || bind_slots(visitors, "Visitor", &names.visitor.type, visitor)
           || bind_slots(visitors, "Visit", &names.visit.type, visit)
           || bind_slots(visitors, "Page", &names.page.type, page)
           || bind_slots(scenes, "Scene", &names.scene.type, scene);
}

typedef struct { PyObject *module; const char *name; PyObject **place; } Thing;

static int
bind_things(const Thing *things)
{
    for (; things->name != NULL; things++) {
        *things->place = PyObject_GetAttrString(things->module, things->name);
        if (*things->place == NULL)
            return -1;
    }
    return 0;
}

static int
bind_texts(void)
{
    names.new = PyUnicode_InternFromString("new");
    names.open = PyUnicode_InternFromString("open");
    names.close_page = PyUnicode_InternFromString("close_page");
    names.categories = PyUnicode_InternFromString("categories");
    names.move = PyUnicode_InternFromString("advance");
    names.when = PyUnicode_InternFromString("when");
    names.unless = PyUnicode_InternFromString("unless");
    names.visit_word = PyUnicode_InternFromString("visit");
    names.page_word = PyUnicode_InternFromString("page");
    names.value = PyUnicode_InternFromString("value");
    names.zero = PyLong_FromLong(0);
    names.empty = PyTuple_New(0);
    names.secret = (uint64_t)PyObject_Hash(names.categories); /* it is random in each process */
    return PyErr_Occurred() ? -1 : 0;
}

int
names_bind(void)
{
    if (names.empty != NULL)
        return 0;
    PyObject *visitors = PyImport_ImportModule("engine.runtime.visitor");
    PyObject *scenes = PyImport_ImportModule("engine.runtime.scene");
    PyObject *outcomes = PyImport_ImportModule("engine.runtime.outcome");
    PyObject *steps = PyImport_ImportModule("engine.runtime.step");
    PyObject *events = PyImport_ImportModule("engine.vocabulary.events");
    PyObject *aggregates = PyImport_ImportModule("engine.runtime.aggregates");
    PyObject *pages_open = NULL, *sends_kept = NULL, *events_kept = NULL;
    const Thing things[] = {
        {outcomes, "Send", (PyObject **)&names.send},
        {visitors, "Sent", (PyObject **)&names.sent},
        {outcomes, "Decision", (PyObject **)&names.decision},
        {outcomes, "Batch", (PyObject **)&names.batch},
        {outcomes, "Outcome", (PyObject **)&names.outcome},
        {events, "NOTHING", &names.nothing},
        {scenes, "NO_NAMES", &names.no_names},
        {scenes, "NOTHING_REPLACED", &names.nothing_replaced},
        {steps, "advance", &names.advance},
        {steps, "adopt", &names.adopt},
        {steps, "fit", &names.fit},
        {steps, "decide", &names.decide},
        {events, "PAGE_ENTERED", &names.page_entered},
        {events, "PAGE_EXITED", &names.page_exited},
        {visitors, "PAGES_OPEN", &pages_open},
        {visitors, "SENDS_KEPT", &sends_kept},
        {aggregates, "KEPT", &events_kept},
        {aggregates, "BEFORE_ALL", &names.before_all},
        {NULL, NULL, NULL},
    };
    int failed = PyErr_Occurred() || bind_records(visitors, scenes, events)
                 || bind_things(things);
    if (!failed) {
        names.pages_open = PyLong_AsSsize_t(pages_open);
        names.sends_kept = PyLong_AsSsize_t(sends_kept);
        names.events_kept = PyLong_AsSsize_t(events_kept);
        failed = bind_texts();
    }
    Py_XDECREF(pages_open);
    Py_XDECREF(sends_kept);
    Py_XDECREF(events_kept);
    Py_XDECREF(aggregates);
    Py_XDECREF(visitors);
    Py_XDECREF(scenes);
    Py_XDECREF(outcomes);
    Py_XDECREF(steps);
    Py_XDECREF(events);
    return failed ? -1 : 0;
}
