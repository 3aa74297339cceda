/* The short road of one event, from the first look at its visitor to its outcome.

   ``walk`` does what ``advance`` of step.py does, in the same order, when no timer is due, no visit
   is over and the event means nothing beside what rules make of it. It finds that out before it
   changes anything. Where a rule needs more than is here (limits, tables, bound events), Python
   does that part, with the same visitor. */

#include "road.h"

/* ---------------------------------------------------------------- before anything is changed */

/* step._is_quiet: a time too large for a machine's number is left to Python. */
static bool
is_quiet(const Road *road, PyObject *visitor, long long now)
{
    long long time, quiet = now + road->expiry;
    PyObject *key, *value;
    Py_ssize_t place = 0;
    while (PyDict_Next(AT(visitor, names.visitor.timers), &place, &key, &value)) {
        if (!whole(PyTuple_GET_ITEM(value, 0), &time))
            return false;
        quiet = time < quiet ? time : quiet;
    }
    place = 0;
    while (PyDict_Next(AT(visitor, names.visitor.visits), &place, &key, &value)) {
        if (!whole(AT(value, names.visit.last), &time))
            return false;
        quiet = time + road->expiry < quiet ? time + road->expiry : quiet;
    }
    PyObject *until = quiet <= now ? NULL : PyLong_FromLongLong(quiet);
    if (until == NULL) {
        PyErr_Clear(); /* without memory Python goes on, and says so */
        return false;
    }
    put(visitor, names.visitor.quiet, until);
    Py_DECREF(until);
    return true;
}

static Way
look(const Road *road, Moment *moment)
{
    PyObject *visitor = moment->visitor, *event = moment->event;
    PyObject *number = PyDict_GetItemWithError(road->named, AT(event, names.event.name));
    if (number == NULL && PyErr_Occurred())
        return FAILED;
    moment->index = number == NULL ? 0 : PyLong_AsLong(number);
    if (moment->index == SPECIAL)
        return LONG_ROAD;
    long long time, last;
    PyObject *before = AT(visitor, names.visitor.now), *at = AT(event, names.event.time);
    if (!whole(at, &time) || !whole(before, &last))
        return LONG_ROAD;
    moment->time = time > last ? time : last;
    moment->now = time > last ? at : before;
    long long quiet;
    if (whole(AT(visitor, names.visitor.quiet), &quiet) && moment->time < quiet)
        return SHORT_ROAD;
    return is_quiet(road, visitor, moment->time) ? SHORT_ROAD : LONG_ROAD;
}

/* ---------------------------------------------------------------- moving rules */

typedef struct { const Link *link; } Touch;

typedef struct { const Rule *rule; PyObject *bound; } Complete;

typedef struct {
    int count, room;
    bool plain;
    Complete *rules, few[32];
} Completed;

static int
completed_add(Completed *completed, const Rule *rule, PyObject *bound)
{
    if (completed->count == completed->room) {
        bool few = completed->rules == completed->few;
        Complete *rules = PyMem_Realloc(few ? NULL : completed->rules,
                                        2 * completed->room * sizeof(Complete));
        if (rules == NULL) {
            Py_XDECREF(bound);
            PyErr_NoMemory();
            return -1;
        }
        if (few)
            memcpy(rules, completed->few, sizeof completed->few);
        completed->rules = rules;
        completed->room *= 2;
    }
    completed->plain = completed->plain && rule->plain && bound == NULL;
    completed->rules[completed->count++] = (Complete){rule, bound};
    return 0;
}

static void
completed_free(Completed *completed)
{
    for (int n = 0; n < completed->count; n++)
        Py_XDECREF(completed->rules[n].bound);
    if (completed->rules != completed->few)
        PyMem_Free(completed->rules);
}

static PyObject *
numbers_of(PyObject *(*make)(PyObject *), int (*add)(PyObject *, PyObject *), const Found *found)
{
    PyObject *made = make(NULL);
    for (int n = 0; made != NULL && n < found->count; n++) {
        PyObject *number = PyLong_FromLong(found->items[n]);
        if (number == NULL || add(made, number))
            Py_CLEAR(made);
        Py_XDECREF(number);
    }
    return made;
}

static PyObject *
empty_list(PyObject *nothing)
{
    (void)nothing;
    return PyList_New(0);
}

/* watchers.Automaton.advance of a pattern whose chains bind events, by Python. */
static int
move_chain(const Rule *rule, Moment *moment, const Found *found, PyObject **fits,
           Completed *completed)
{
    if (*fits == NULL && (*fits = numbers_of(PySet_New, PySet_Add, found)) == NULL)
        return -1;
    PyObject *scene = moment_scene(moment);
    PyObject *memory = memory_of(rule->per, moment);
    PyObject *bound = scene == NULL ? NULL
                                    : PyObject_CallMethodObjArgs(rule->automaton, names.move,
                                                                 moment->visitor, memory, scene,
                                                                 *fits, NULL);
    if (bound == NULL)
        return -1;
    if (bound == Py_None || bound == names.no_names) {
        Py_DECREF(bound);
        return bound == Py_None ? 0 : completed_add(completed, rule, NULL);
    }
    return completed_add(completed, rule, bound);
}

/* The positions of all links to one rule, each once, the last first. */
static int
united(const Touch *touches, int count, Found *positions)
{
    for (int n = 0; n < count; n++)
        if (found_add(positions, touches[n].link->positions, touches[n].link->count))
            return -1;
    for (int n = 1; n < positions->count; n++)
        for (int m = n; m > 0 && positions->items[m - 1] < positions->items[m]; m--) {
            int lower = positions->items[m - 1];
            positions->items[m - 1] = positions->items[m];
            positions->items[m] = lower;
        }
    int kept = 0;
    for (int n = 0; n < positions->count; n++)
        if (kept == 0 || positions->items[kept - 1] != positions->items[n])
            positions->items[kept++] = positions->items[n];
    positions->count = kept;
    return 0;
}

static int
move_rule(const Road *road, Moment *moment, const Touch *touches, int count, const Found *found,
          PyObject **fits, Completed *completed)
{
    const Link *link = touches->link;
    const Rule *rule = &road->rules[link->rank];
    if (rule->remembers == CHAINS && rule->positions == NULL)
        return move_chain(rule, moment, found, fits, completed);
    Found positions = {.room = 64, .items = positions.few};
    int moved;
    if (rule->remembers == CHAINS)
        moved = chain_advance(rule, moment, found);
    else if (count == 1)
        moved = rule_advance(rule, moment, link->positions, link->count);
    else if (united(touches, count, &positions))
        moved = -1;
    else
        moved = rule_advance(rule, moment, positions.items, positions.count);
    found_free(&positions);
    return moved == 1 ? completed_add(completed, rule, NULL) : moved;
}

static int
by_rank(const void *one, const void *other)
{
    return ((const Touch *)one)->link->rank - ((const Touch *)other)->link->rank;
}

typedef struct { int count, room; Touch *touches, few[64]; } Touched;

static int
touch(Touched *touched, const Link *links, int count)
{
    if (touched->count + count > touched->room) {
        int room = 2 * (touched->count + count);
        bool few = touched->touches == touched->few;
        Touch *touches = PyMem_Realloc(few ? NULL : touched->touches, room * sizeof(Touch));
        if (touches == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        if (few)
            memcpy(touches, touched->few, touched->count * sizeof(Touch));
        touched->touches = touches;
        touched->room = room;
    }
    for (int n = 0; n < count; n++)
        touched->touches[touched->count++].link = &links[n];
    return 0;
}

/* Whose silence may end: all rules with a timer. */
static int
touch_waiting(const Road *road, const Moment *moment, Touched *touched)
{
    PyObject *key, *value;
    Py_ssize_t place = 0;
    while (PyDict_Next(AT(moment->visitor, names.visitor.timers), &place, &key, &value)) {
        PyObject *rank = PyDict_GetItemWithError(road->ranks, PyTuple_GET_ITEM(key, 1));
        if (rank == NULL && PyErr_Occurred())
            return -1;
        if (rank != NULL && touch(touched, &road->unmoved[PyLong_AsLong(rank)], 1))
            return -1;
    }
    return 0;
}

/* step.Work._touched: the rules that the event may move, in order of rank. */
static int
touch_all(const Road *road, const Moment *moment, const Found *found, Touched *touched)
{
    bool cancels = false;
    for (int n = 0; n < found->count; n++) {
        const Watch *watch = &road->watches[found->items[n]];
        cancels = cancels || watch->cancels;
        if (touch(touched, watch->links, watch->count))
            return -1;
    }
    if (cancels && touch_waiting(road, moment, touched))
        return -1;
    if (found->count > 1 || cancels)
        qsort(touched->touches, touched->count, sizeof(Touch), by_rank);
    return 0;
}

/* step.Work._advance: every rule that the event may move. */
static int
move(const Road *road, Moment *moment, const Found *found, Completed *completed)
{
    Touched touched = {.room = 64, .touches = touched.few};
    int failed = touch_all(road, moment, found, &touched);
    PyObject *fits = NULL;
    const Touch *touches = touched.touches;
    for (int n = 0, next; !failed && n < touched.count; n = next) {
        for (next = n + 1; next < touched.count && !by_rank(&touches[n], &touches[next]); next++)
            ;
        failed = move_rule(road, moment, &touches[n], next - n, found, &fits, completed);
    }
    Py_XDECREF(fits);
    if (touched.touches != touched.few)
        PyMem_Free(touched.touches);
    return failed;
}

static int
record(const Road *road, Moment *moment, const Found *found)
{
    for (int n = 0; n < found->count; n++) {
        const Watch *watch = &road->watches[found->items[n]];
        for (int m = 0; m < watch->register_count; m++)
            if (register_take(&watch->registers[m], moment))
                return -1;
    }
    return 0;
}

/* ---------------------------------------------------------------- deciding */

static PyObject *
pairs_of(const Completed *completed)
{
    PyObject *pairs = PyList_New(0);
    for (int n = 0; pairs != NULL && n < completed->count; n++) {
        PyObject *bound = completed->rules[n].bound;
        PyObject *pair = PyTuple_Pack(2, completed->rules[n].rule->rule,
                                      bound == NULL ? names.no_names : bound);
        if (pair == NULL || PyList_Append(pairs, pair))
            Py_CLEAR(pairs);
        Py_XDECREF(pair);
    }
    return pairs;
}

/* step.decide: limits, tables, facts and all else, by Python. */
static PyObject *
decide_by_python(Moment *moment, const Completed *completed)
{
    PyObject *pairs = pairs_of(completed), *scene = moment_scene(moment), *outcome = NULL;
    if (pairs != NULL && scene != NULL)
        outcome = PyObject_CallFunctionObjArgs(names.decide, moment->plan, moment->visitor, scene,
                                               pairs, NULL);
    Py_XDECREF(pairs);
    return outcome;
}

/* Into the visitor's log, the oldest making room. */
static int
keep(const Moment *moment, const Pile *log)
{
    PyObject *kept = AT(moment->visitor, names.visitor.sends);
    for (Py_ssize_t n = 0; n < log->count; n++)
        if (PyList_Append(kept, log->items[n]))
            return -1;
    Py_ssize_t many = PyList_GET_SIZE(kept) - names.sends_kept;
    if (many <= 0)
        return 0;
    put(moment->visitor, names.visitor.ledger, Py_None);
    return PyList_SetSlice(kept, 0, many, NULL);
}

static PyObject *
batches_of(const Moment *moment, Pile *sends)
{
    if (sends->count == 0)
        return Py_NewRef(names.empty);
    PyObject *batch[] = {Py_NewRef(moment->now),
                         Py_NewRef(AT(moment->event, names.event.visit)), pile_tuple(sends)};
    PILE(one);
    PyObject *batches = pile_add(&one, tuple_of(names.batch, 3, batch)) ? NULL : pile_tuple(&one);
    pile_free(&one);
    return batches;
}

static PyObject *
outcome_of(PyObject *visitor, PyObject *batches, PyObject *decisions)
{
    PyObject *values[] = {Py_NewRef(visitor), batches, decisions, Py_NewRef(names.empty)};
    return tuple_of(names.outcome, 4, values);
}

static PyObject *
decide_plainly(Moment *moment, const Completed *completed)
{
    Given given;
    const Rule *few[32];
    given.decisions = given.sends = given.log = (Pile){.room = 8};
    given.decisions.items = given.decisions.few;
    given.sends.items = given.sends.few;
    given.log.items = given.log.few;
    given.acting_count = 0;
    given.acting = completed->count > 32 ? PyMem_New(const Rule *, completed->count) : few;
    int failed = given.acting == NULL;
    if (failed)
        PyErr_NoMemory();
    for (int n = 0; !failed && n < completed->count; n++)
        failed = rule_decide(completed->rules[n].rule, moment, &given);
    PyObject *outcome = NULL;
    if (!failed && !rules_set(moment, &given) && !keep(moment, &given.log)) {
        PyObject *batches = batches_of(moment, &given.sends);
        outcome = outcome_of(moment->visitor, batches, pile_tuple(&given.decisions));
    }
    pile_free(&given.decisions);
    pile_free(&given.sends);
    pile_free(&given.log);
    if (given.acting != few)
        PyMem_Free(given.acting);
    return outcome;
}

static bool
closes_page(const Moment *moment)
{
    return AT(moment->event, names.event.page) != Py_None
           && same_text(AT(moment->event, names.event.name), names.page_exited);
}

/* step.Work.fit: NULL with an error, None when nothing came of it. */
static PyObject *
fit(const Road *road, Moment *moment, const Found *found)
{
    for (int n = 0; n < found->count; n++)
        if (road->watches[found->items[n]].guarded) {
            PyObject *numbers = numbers_of(empty_list, PyList_Append, found);
            PyObject *scene = moment_scene(moment), *outcome = NULL;
            if (numbers != NULL && scene != NULL)
                outcome = PyObject_CallFunctionObjArgs(names.fit, moment->plan, moment->visitor,
                                                       scene, numbers, NULL);
            Py_XDECREF(numbers);
            return outcome;
        }
    Completed completed = {.room = 32, .plain = true, .rules = completed.few};
    PyObject *outcome = NULL;
    if (!record(road, moment, found) && !move(road, moment, found, &completed)) {
        if (completed.count == 0)
            outcome = Py_NewRef(Py_None);
        else if (completed.plain && !closes_page(moment))
            outcome = decide_plainly(moment, &completed);
        else
            outcome = decide_by_python(moment, &completed);
    }
    completed_free(&completed);
    return outcome;
}

/* ---------------------------------------------------------------- the whole way */

static PyObject *
find_and_fit(const Road *road, Moment *moment)
{
    Found found = {.room = 64, .items = found.few};
    PyObject *outcome = NULL;
    if (!index_find(road->indexes[moment->index], moment, &found))
        outcome = found.count ? fit(road, moment, &found) : Py_NewRef(Py_None);
    found_free(&found);
    return outcome;
}

static PyObject *
happen(const Road *road, Moment *moment)
{
    put(moment->visitor, names.visitor.now, moment->now);
    if (one_more(moment->visitor, names.visitor.events) || places_open(moment))
        return NULL;
    PyObject *outcome = find_and_fit(road, moment);
    if (outcome != NULL && closes_page(moment) && page_close(moment))
        Py_CLEAR(outcome);
    return outcome;
}

Way
walk(const Road *road, PyObject *plan, PyObject *visitor, PyObject *event, PyObject **outcome)
{
    if (!PyObject_TypeCheck(event, names.event.type) || !Py_IS_TYPE(visitor, names.visitor.type))
        return LONG_ROAD;
    if (!same_text(AT(visitor, names.visitor.version), road->version)) {
        PyObject *adopted = PyObject_CallFunctionObjArgs(names.adopt, plan, visitor, NULL);
        if (adopted == NULL)
            return FAILED;
        Py_DECREF(adopted);
    }
    Moment moment = {.plan = plan, .conditions = road->conditions, .visitor = visitor,
                     .event = event, .categories = &road->categories};
    Way way = look(road, &moment);
    if (way != SHORT_ROAD)
        return way;
    Py_INCREF(moment.now);
    *outcome = happen(road, &moment);
    Py_DECREF(moment.now);
    Py_XDECREF(moment.scene);
    Py_XDECREF(moment.in_categories);
    return *outcome == NULL ? FAILED : SHORT_ROAD;
}

/* An outcome: None when nothing came of it. Steals its argument. */
static PyObject *
unless_empty(PyObject *outcome)
{
    bool empty = outcome != NULL && outcome != Py_None;
    for (Py_ssize_t n = 1; empty && n < 4; n++)
        empty = PyTuple_GET_SIZE(PyTuple_GET_ITEM(outcome, n)) == 0;
    if (!empty)
        return outcome;
    Py_DECREF(outcome);
    Py_RETURN_NONE;
}

PyObject *
walk_either(const Road *road, PyObject *plan, PyObject *visitor, PyObject *event)
{
    PyObject *outcome = NULL;
    if (walk(road, plan, visitor, event, &outcome) == LONG_ROAD)
        outcome = PyObject_CallFunctionObjArgs(names.advance, plan, visitor, event, NULL);
    return unless_empty(outcome);
}
