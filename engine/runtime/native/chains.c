/* Chains: patterns that wait for a silence, or for all of several events, and how an event moves
   them. Python moves those whose ``as`` binds events, and lets every silence end.

   Each function here is the twin of one of watchers.Automaton, named in its comment. */

#include "road.h"

/* ---------------------------------------------------------------- laying positions out */

static int
watches_read(Arena *arena, Position *position, PyObject *watches)
{
    position->watch_count = (int)PyTuple_GET_SIZE(watches);
    int *own = arena_new(arena, position->watch_count, sizeof(int));
    for (int n = 0; own != NULL && n < position->watch_count; n++)
        own[n] = (int)PyLong_AsLong(PyTuple_GET_ITEM(watches, n));
    position->watches = own;
    return PyErr_Occurred() ? -1 : 0;
}

/* 1: it is moved here, 0: by Python, -1: an error. */
static int
position_read(Arena *arena, Position *position, PyObject *from, PyObject *automaton, int k)
{
    PyObject *watches = held(arena, from, "watches"), *absent = held(arena, from, "absent");
    PyObject *keep = held(arena, from, "keep"), *where = held(arena, from, "where");
    PyObject *alias = held(arena, from, "alias");
    position->same_page = held(arena, from, "same_page") == Py_True;
    position->all_of = held(arena, from, "all_of") == Py_True;
    position->number = arena_hold(arena, PyLong_FromLong(k));
    if (PyErr_Occurred() || watches_read(arena, position, watches))
        return -1;
    position->keep = keep == Py_None ? NULL : keep;
    position->silence = absent != Py_None;
    if (where != Py_None || alias != Py_None
        || (position->silence && !whole(absent, &position->absent)))
        return 0;
    if (position->all_of)
        position->part_key = arena_hold(
            arena, PyObject_CallMethod(automaton, "part_key", "O", position->number));
    return PyErr_Occurred() ? -1 : 1;
}

int
chain_read(Arena *arena, Rule *rule, PyObject *positions)
{
    int count = rule->last + 1;
    Position *own = arena_new(arena, count, sizeof(Position));
    if (own == NULL)
        return -1;
    for (int k = 0; k < count; k++) {
        PyObject *from = PyTuple_GET_ITEM(positions, k);
        int here = position_read(arena, &own[k], from, rule->automaton, k);
        if (here < 1)
            return here;
    }
    rule->positions = own;
    return 0;
}

/* ---------------------------------------------------------------- what is remembered */

/* ``memory`` holds the chains, or NULL, which stands for none at all. */
typedef struct {
    const Rule *rule;
    Moment *moment;
    const Found *found;
    PyObject *memory, *chains, *place;
} Move;

static PyObject *
place_of(const Rule *rule, const Moment *moment)
{
    PyObject *visit = AT(moment->event, names.event.visit);
    switch (rule->per) {
    case PER_VISITOR:
        return Py_NewRef(names.empty);
    case PER_VISIT:
        return PyTuple_Pack(1, visit);
    default:
        return PyTuple_Pack(2, visit, AT(moment->event, names.event.page));
    }
}

/* The key of the timer of a silence: where, whose, and at which position. */
static PyObject *
timer_key(Move *move, int k)
{
    if (move->place == NULL && (move->place = place_of(move->rule, move->moment)) == NULL)
        return NULL;
    return PyTuple_Pack(3, move->place, move->rule->key, move->rule->positions[k].number);
}

static bool
is_tuple(PyObject *value, Py_ssize_t size)
{
    return PyTuple_CheckExact(value) && PyTuple_GET_SIZE(value) == size;
}

/* What comes from a store has passed its checksum; but nothing is read beyond what is there. */
static int
of_another_shape(void)
{
    PyErr_SetString(PyExc_ValueError, "the memory of a pattern has another shape");
    return -1;
}

/* The chain at a position, borrowed, or None; NULL with an error. */
static PyObject *
chain_at(const Move *move, int k)
{
    PyObject *chain = move->chains == NULL ? Py_None : PyList_GET_ITEM(move->chains, k);
    if (chain != Py_None && !is_tuple(chain, 3)) {
        of_another_shape();
        return NULL;
    }
    return chain;
}

/* Puts a chain at a position; those still to come are lower, and read what stands below this one. */
static int
put_chain(Move *move, int k, PyObject *chain)
{
    if (move->chains == NULL) {
        PyObject *chains = PyList_New(move->rule->last + 1);
        if (chains == NULL)
            return -1;
        for (int n = 0; n <= move->rule->last; n++)
            PyList_SET_ITEM(chains, n, Py_NewRef(Py_None));
        int failed = PyDict_SetItem(move->memory, move->rule->key, chains);
        Py_DECREF(chains); /* the memory keeps it */
        if (failed)
            return -1;
        move->chains = chains;
    }
    PyObject *old = PyList_GET_ITEM(move->chains, k);
    PyList_SET_ITEM(move->chains, k, Py_NewRef(chain));
    Py_DECREF(old);
    return 0;
}

static int
discard(PyObject *dict, PyObject *key)
{
    int there = key == NULL ? -1 : PyDict_Contains(dict, key);
    return there > 0 ? PyDict_DelItem(dict, key) : there;
}

/* watchers.Automaton.clear */
static int
clear(Move *move)
{
    const Rule *rule = move->rule;
    PyObject *timers = AT(move->moment->visitor, names.visitor.timers);
    int failed = discard(move->memory, rule->key);
    for (int k = 0; !failed && k <= rule->last; k++) {
        const Position *position = &rule->positions[k];
        if (position->silence && PyDict_GET_SIZE(timers)) {
            PyObject *key = timer_key(move, k);
            failed = discard(timers, key);
            Py_XDECREF(key);
        }
        else if (position->all_of)
            failed = discard(move->memory, position->part_key);
    }
    return failed;
}

/* ---------------------------------------------------------------- silences */

/* watchers.Automaton._begin_silence, where position k is one. */
static int
begin_silence(Move *move, int k, PyObject *chain)
{
    if (k > move->rule->last || !move->rule->positions[k].silence)
        return 0;
    PyObject *visitor = move->moment->visitor, *timers = AT(visitor, names.visitor.timers);
    long long quiet, end = move->moment->time + move->rule->positions[k].absent;
    PyObject *due = PyLong_FromLongLong(end), *key = timer_key(move, k);
    PyObject *timer = due == NULL ? NULL : PyTuple_Pack(2, due, chain);
    /* Taken out first, so that timers stand in the order in which they began. */
    int failed = timer == NULL || key == NULL || discard(timers, key)
                 || PyDict_SetItem(timers, key, timer);
    if (!failed && (!whole(AT(visitor, names.visitor.quiet), &quiet) || end < quiet))
        put(visitor, names.visitor.quiet, due);
    Py_XDECREF(due);
    Py_XDECREF(key);
    Py_XDECREF(timer);
    return failed ? -1 : 0;
}

/* Did the silence begin on the page of this event? */
static int
on_same_page(const Moment *moment, PyObject *timer)
{
    PyObject *chain = is_tuple(timer, 2) ? PyTuple_GET_ITEM(timer, 1) : timer;
    PyObject *started = is_tuple(chain, 3) ? PyTuple_GET_ITEM(chain, 1) : NULL;
    if (started == NULL || !PyDict_Check(started))
        return of_another_shape();
    PyObject *visit = PyDict_GetItemWithError(started, names.visit_word);
    PyObject *page = visit == NULL ? NULL : PyDict_GetItemWithError(started, names.page_word);
    if (page == NULL)
        return PyErr_Occurred() ? -1 : of_another_shape();
    return same_text(visit, AT(moment->event, names.event.visit))
           && (page == AT(moment->event, names.event.page)
               || same_text(page, AT(moment->event, names.event.page)));
}

/* watchers.Automaton._cancel */
static int
cancel(Move *move, int k)
{
    PyObject *timers = AT(move->moment->visitor, names.visitor.timers);
    if (PyDict_GET_SIZE(timers) == 0)
        return 0;
    PyObject *key = timer_key(move, k);
    PyObject *timer = key == NULL ? NULL : PyDict_GetItemWithError(timers, key);
    int ends = timer == NULL ? (PyErr_Occurred() ? -1 : 0) : 1;
    if (ends > 0 && move->rule->positions[k].same_page)
        ends = on_same_page(move->moment, timer);
    if (ends > 0 && PyDict_DelItem(timers, key))
        ends = -1;
    Py_XDECREF(key);
    return ends < 0 ? -1 : 0;
}

/* ---------------------------------------------------------------- extending */

static bool
fits_watch(const Found *found, int watch)
{
    int low = 0, high = found->count;
    while (low < high) {
        int middle = (low + high) / 2;
        if (found->items[middle] < watch)
            low = middle + 1;
        else
            high = middle;
    }
    return low < found->count && found->items[low] == watch;
}

static bool
fits_position(const Found *found, const Position *position)
{
    for (int n = 0; n < position->watch_count; n++)
        if (fits_watch(found, position->watches[n]))
            return true;
    return false;
}

/* The entries of an ``all of`` that this event leaves as they are, the oldest first. */
static int
older_entries(const Move *move, const Position *position, PyObject *entries)
{
    PyObject *before = PyDict_GetItemWithError(move->memory, position->part_key);
    if (before == NULL)
        return PyErr_Occurred() ? -1 : 0;
    if (!PyList_CheckExact(before))
        return of_another_shape();
    for (Py_ssize_t n = 0; n < PyList_GET_SIZE(before); n++) {
        PyObject *entry = PyList_GET_ITEM(before, n);
        long atom = is_tuple(entry, 2) ? PyLong_AsLong(PyTuple_GET_ITEM(entry, 0)) : -1;
        if (atom < 0 || atom >= position->watch_count)
            return of_another_shape();
        if (!fits_watch(move->found, position->watches[atom]) && PyList_Append(entries, entry))
            return -1;
    }
    return 0;
}

/* watchers.Automaton._gather: the chain of the oldest, borrowed from memory; None when one is still
   missing; NULL with an error. */
static PyObject *
gather(const Move *move, const Position *position, PyObject *before)
{
    PyObject *entries = PyList_New(0), *oldest = NULL;
    int failed = entries == NULL || older_entries(move, position, entries);
    for (int n = 0; !failed && n < position->watch_count; n++) {
        if (!fits_watch(move->found, position->watches[n]))
            continue;
        PyObject *entry = Py_BuildValue("(iO)", n, before);
        failed = entry == NULL || PyList_Append(entries, entry);
        Py_XDECREF(entry);
    }
    if (!failed && !PyDict_SetItem(move->memory, position->part_key, entries)) {
        bool all = PyList_GET_SIZE(entries) == position->watch_count;
        oldest = all ? PyTuple_GET_ITEM(PyList_GET_ITEM(entries, 0), 1) : Py_None;
    }
    Py_XDECREF(entries);
    if (oldest != NULL && oldest != Py_None && !is_tuple(oldest, 3)) {
        of_another_shape();
        return NULL;
    }
    return oldest;
}

/* What an ``all of`` makes of the chain before it: that of its oldest event, borrowed, as above. */
static PyObject *
begun_by_all(const Move *move, const Position *position, PyObject *first, PyObject *bound)
{
    PyObject *before = PyTuple_Pack(3, first, Py_None, bound);
    PyObject *oldest = before == NULL ? NULL : gather(move, position, before);
    Py_XDECREF(before);
    return oldest;
}

/* watchers.Automaton._extend: the chain, a new reference; None when there is none; NULL with an
   error. */
static PyObject *
extended(const Move *move, int k)
{
    const Rule *rule = move->rule;
    const Position *position = &rule->positions[k];
    PyObject *first = move->moment->now, *bound = Py_None;
    PyObject *previous = k > 0 ? chain_at(move, k - 1) : NULL;
    if (k > 0) {
        if (previous == NULL || previous == Py_None)
            return Py_XNewRef(previous);
        first = PyTuple_GET_ITEM(previous, 0);
        bound = PyTuple_GET_ITEM(previous, 2);
    }
    if (position->all_of) {
        PyObject *oldest = begun_by_all(move, position, first, bound);
        if (oldest == NULL || oldest == Py_None)
            return Py_XNewRef(oldest);
        first = PyTuple_GET_ITEM(oldest, 0);
        bound = PyTuple_GET_ITEM(oldest, 2);
    }
    if (rule->bounded && move->moment->time - PyLong_AsLongLong(first) >= rule->within)
        return Py_NewRef(Py_None);
    PyObject *kept = position->keep == NULL
                         ? Py_NewRef(Py_None)
                         : PyObject_CallOneArg(position->keep, move->moment->event);
    PyObject *chain = kept == NULL ? NULL : PyTuple_Pack(3, first, kept, bound);
    Py_XDECREF(kept);
    return chain;
}

/* One position: 1 when the pattern is complete, 0 when not, -1 with an error. */
static int
move_position(Move *move, int k)
{
    if (move->rule->positions[k].silence)
        return cancel(move, k);
    PyObject *chain = extended(move, k);
    int done = chain == NULL ? -1 : 0;
    if (done == 0 && chain != Py_None) {
        if (k == move->rule->last)
            done = clear(move) ? -1 : 1;
        else if (put_chain(move, k, chain) || begin_silence(move, k + 1, chain))
            done = -1;
    }
    Py_XDECREF(chain);
    return done;
}

int
chain_advance(const Rule *rule, Moment *moment, const Found *found)
{
    Move move = {.rule = rule, .moment = moment, .found = found};
    move.memory = memory_of(rule->per, moment);
    move.chains = PyDict_GetItemWithError(move.memory, rule->key);
    int done = move.chains == NULL && PyErr_Occurred() ? -1 : 0;
    if (move.chains != NULL
        && (!PyList_CheckExact(move.chains) || PyList_GET_SIZE(move.chains) != rule->last + 1))
        return of_another_shape();
    for (int k = rule->last; done == 0 && k >= 0; k--)
        if (fits_position(found, &rule->positions[k]))
            done = move_position(&move, k);
    Py_XDECREF(move.place);
    return done;
}
