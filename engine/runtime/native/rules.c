/* Rules: what a simple pattern remembers and how an event moves it, guards, and free messages.

   Each function here is the twin of one in watchers.py or admission.py, named in its comment. */

#include "road.h"

/* ---------------------------------------------------------------- laying a rule out */

/* An attribute that may be None, which is no value here. */
static PyObject *
held_or_not(Arena *arena, PyObject *object, const char *name)
{
    PyObject *value = held(arena, object, name);
    return value == Py_None ? NULL : value;
}

static int
one_of(PyObject *text, const char *const *choices)
{
    int found = text == NULL ? -1 : choice(text, choices);
    if (found < 0)
        PyErr_SetString(PyExc_ValueError, "a pattern of an unknown kind");
    return found;
}

static int
pattern_read(Arena *arena, Rule *rule)
{
    static const char *const remembers[] = {"nothing", "times", "lean", "chains", NULL};
    static const char *const scopes[] = {"visitor", "visit", "page", NULL};
    PyObject *automaton = rule->automaton;
    int kept = one_of(held(arena, automaton, "remembers"), remembers);
    int per = kept < 0 ? -1 : one_of(held(arena, automaton, "per"), scopes);
    PyObject *positions = held(arena, automaton, "positions");
    PyObject *within = held_or_not(arena, automaton, "within");
    rule->key = held(arena, automaton, "key");
    if (per < 0 || positions == NULL || rule->key == NULL || PyErr_Occurred())
        return -1;
    rule->remembers = (Remembers)kept;
    rule->per = (Per)per;
    rule->last = (int)PyTuple_GET_SIZE(positions) - 1;
    rule->bounded = within != NULL;
    if (within != NULL && !whole(within, &rule->within)) {
        rule->remembers = CHAINS; /* longer than any clock: Python counts it */
        return 0;
    }
    return rule->remembers == CHAINS ? chain_read(arena, rule, positions) : 0;
}

static int
sends_read(Arena *arena, Rule *rule, PyObject *sends)
{
    rule->send_count = (int)PyTuple_GET_SIZE(sends);
    rule->sends = arena_new(arena, rule->send_count, sizeof(SendPlan));
    for (int n = 0; rule->sends != NULL && n < rule->send_count; n++) {
        PyObject *planned = PyTuple_GET_ITEM(sends, n);
        SendPlan *send = &rule->sends[n];
        send->message = held(arena, planned, "message");
        send->channel = held(arena, planned, "channel");
        send->answerable = held(arena, planned, "answerable");
        send->data = held(arena, planned, "data");
        send->settled = held_or_not(arena, planned, "settled");
        rule->plain = rule->plain && held(arena, planned, "every_page") == Py_False;
    }
    return PyErr_Occurred() ? -1 : 0;
}

static int
sets_read(Arena *arena, Rule *rule, PyObject *sets)
{
    rule->set_count = (int)PyTuple_GET_SIZE(sets);
    rule->sets = arena_new(arena, rule->set_count, sizeof(SetPlan));
    for (int n = 0; rule->sets != NULL && n < rule->set_count; n++) {
        PyObject *planned = PyTuple_GET_ITEM(sets, n);
        PyObject *scope = held(arena, planned, "scope");
        SetPlan *set = &rule->sets[n];
        set->of_visitor = scope != NULL
                          && PyUnicode_CompareWithASCIIString(scope, "visitor") == 0;
        set->fact = held(arena, planned, "fact");
        set->admits = held(arena, planned, "admits");
        set->value = held(arena, planned, "value");
    }
    return PyErr_Occurred() ? -1 : 0;
}

int
rule_read(Arena *arena, Rule *rule, PyObject *planned, bool plain)
{
    PyObject *strategy = held(arena, planned, "strategy"), *sends = held(arena, planned, "sends");
    PyObject *sets = held(arena, planned, "sets");
    rule->rule = arena_hold(arena, Py_NewRef(planned));
    rule->automaton = held(arena, planned, "automaton");
    rule->place = held(arena, planned, "place");
    rule->reached_by = PyErr_Occurred() ? NULL : held(arena, rule->automaton, "reached_by");
    if (PyErr_Occurred())
        return -1;
    rule->when = held_or_not(arena, planned, "when");
    rule->unless = held_or_not(arena, planned, "unless");
    rule->attach = held_or_not(arena, planned, "attach");
    rule->strategy = held(arena, strategy, "name");
    rule->group = held(arena, strategy, "group");
    rule->valid_for = held(arena, strategy, "valid_for");
    rule->middle = arena_hold(arena, PyUnicode_FromFormat("/%U/", rule->strategy));
    bool sends_freely = plain && held(arena, strategy, "is_free") == Py_True;
    rule->plain = (sends_freely || PyTuple_GET_SIZE(sends) == 0)
                  && held_or_not(arena, planned, "table") == NULL;
    return pattern_read(arena, rule) || sends_read(arena, rule, sends)
                   || sets_read(arena, rule, sets)
               ? -1
               : 0;
}

/* ---------------------------------------------------------------- moving */

PyObject *
memory_of(Per per, const Moment *moment)
{
    switch (per) {
    case PER_VISITOR:
        return AT(moment->visitor, names.visitor.memory);
    case PER_VISIT:
        return AT(moment->visit, names.visit.memory);
    default:
        return AT(moment->page, names.page.memory);
    }
}

/* A time that was remembered; those of the short road are whole numbers of 62 bits. */
static long long
time_at(PyObject *list, Py_ssize_t place)
{
    return PyLong_AsLongLong(PyList_GET_ITEM(list, place));
}

/* watchers.Automaton._count */
static int
count(const Rule *rule, PyObject *memory, const Moment *moment)
{
    PyObject *times = PyDict_GetItemWithError(memory, rule->key);
    if (times == NULL) {
        if (PyErr_Occurred())
            return -1;
        times = PyList_New(1);
        if (times == NULL)
            return -1;
        PyList_SET_ITEM(times, 0, Py_NewRef(moment->now));
        int failed = PyDict_SetItem(memory, rule->key, times);
        Py_DECREF(times);
        return failed ? -1 : 0;
    }
    if (rule->bounded) {
        long long oldest = moment->time - rule->within;
        Py_ssize_t gone = 0, kept = PyList_GET_SIZE(times);
        while (gone < kept && time_at(times, gone) <= oldest)
            gone++;
        if (gone > 0 && PyList_SetSlice(times, 0, gone, NULL))
            return -1;
    }
    if (PyList_GET_SIZE(times) == rule->last)
        return PyDict_DelItem(memory, rule->key) ? -1 : 1;
    return PyList_Append(times, moment->now) ? -1 : 0;
}

static PyObject *
nobody_yet(const Rule *rule, PyObject *memory)
{
    PyObject *begun = PyList_New(rule->last);
    if (begun == NULL)
        return NULL;
    for (int n = 0; n < rule->last; n++)
        PyList_SET_ITEM(begun, n, Py_NewRef(Py_None));
    int failed = PyDict_SetItem(memory, rule->key, begun);
    Py_DECREF(begun); /* the memory keeps it */
    return failed ? NULL : begun;
}

/* watchers.Automaton._follow */
static int
follow(const Rule *rule, PyObject *memory, const Moment *moment, const int *positions, int count)
{
    PyObject *begun = PyDict_GetItemWithError(memory, rule->key);
    if (begun == NULL && PyErr_Occurred())
        return -1;
    for (int n = 0; n < count; n++) {
        int k = positions[n];
        PyObject *first = moment->now;
        if (k > 0) {
            first = begun == NULL ? Py_None : PyList_GET_ITEM(begun, k - 1);
            if (first == Py_None)
                continue;
            if (rule->bounded && moment->time - PyLong_AsLongLong(first) >= rule->within)
                continue;
        }
        if (k == rule->last)
            return begun != NULL && PyDict_DelItem(memory, rule->key) ? -1 : 1;
        if (begun == NULL && (begun = nobody_yet(rule, memory)) == NULL)
            return -1;
        PyObject *old = PyList_GET_ITEM(begun, k);
        PyList_SET_ITEM(begun, k, Py_NewRef(first));
        Py_DECREF(old);
    }
    return 0;
}

int
rule_advance(const Rule *rule, Moment *moment, const int *positions, int positions_count)
{
    switch (rule->remembers) {
    case NOTHING_KEPT:
        return 1;
    case TIMES:
        return count(rule, memory_of(rule->per, moment), moment);
    case LEAN:
        return follow(rule, memory_of(rule->per, moment), moment, positions, positions_count);
    default:
        PyErr_SetString(PyExc_SystemError, "a chain is moved by Python");
        return -1;
    }
}

/* ---------------------------------------------------------------- deciding */

/* 1 when a guard holds, 0 when not, -1 with an error. */
static int
guarded(PyObject *guard, Moment *moment)
{
    PyObject *scene = moment_scene(moment);
    PyObject *answer = scene == NULL ? NULL : PyObject_CallOneArg(guard, scene);
    int holds = answer == NULL ? -1 : PyObject_IsTrue(answer);
    Py_XDECREF(answer);
    return holds;
}

/* admission._guard: why not, borrowed; None when nothing is in the way; NULL with an error. */
static PyObject *
reason_of(const Rule *rule, Moment *moment)
{
    int holds = rule->when == NULL ? 1 : guarded(rule->when, moment);
    if (holds < 1)
        return holds < 0 ? NULL : names.when;
    holds = rule->unless == NULL ? 0 : guarded(rule->unless, moment);
    if (holds)
        return holds < 0 ? NULL : names.unless;
    return Py_None;
}

PyObject *
rule_message_id(const Rule *rule, PyObject *visit, Py_ssize_t number)
{
    if (!PyUnicode_IS_COMPACT_ASCII(visit) || !PyUnicode_IS_COMPACT_ASCII(rule->middle))
        return PyUnicode_FromFormat("%U%U%zd", visit, rule->middle, number);
    char digits[24];
    Py_ssize_t tail = PyOS_snprintf(digits, sizeof digits, "%zd", number);
    Py_ssize_t head = PyUnicode_GET_LENGTH(visit), middle = PyUnicode_GET_LENGTH(rule->middle);
    PyObject *id = PyUnicode_New(head + middle + tail, 127);
    if (id != NULL) {
        char *text = (char *)PyUnicode_1BYTE_DATA(id);
        memcpy(text, PyUnicode_1BYTE_DATA(visit), head);
        memcpy(text + head, PyUnicode_1BYTE_DATA(rule->middle), middle);
        memcpy(text + head + middle, digits, tail);
    }
    return id;
}

/* How many messages of the strategy the visit has had, and one more: it counts at once. */
static Py_ssize_t
next_number(const Rule *rule, const Moment *moment)
{
    PyObject *sent = AT(moment->visit, names.visit.sent);
    PyObject *before = PyDict_GetItemWithError(sent, rule->strategy);
    if (before == NULL && PyErr_Occurred())
        return -1;
    Py_ssize_t number = before == NULL ? 1 : PyLong_AsSsize_t(before) + 1;
    PyObject *value = PyLong_FromSsize_t(number);
    int failed = value == NULL || PyDict_SetItem(sent, rule->strategy, value);
    Py_XDECREF(value);
    return failed ? -1 : number;
}

#define NEW(value) Py_XNewRef(value)

/* admission._Attempt._offer, for a message that nothing refuses: 0, or -1 with an error. */
static int
offer(const Rule *rule, const SendPlan *planned, Moment *moment, PyObject *attach, Given *given,
      Pile *ids)
{
    PyObject *event = moment->event, *visit = AT(event, names.event.visit);
    PyObject *page = AT(event, names.event.page);
    PyObject *data = planned->settled != NULL ? Py_NewRef(planned->settled)
                     : moment_scene(moment) == NULL
                         ? NULL
                         : PyObject_CallOneArg(planned->data, moment->scene);
    Py_ssize_t number = data == NULL ? -1 : next_number(rule, moment);
    PyObject *id = number < 0 ? NULL : rule_message_id(rule, visit, number);
    if (id == NULL) {
        Py_XDECREF(data);
        return -1;
    }
    PyObject *send[] = {
        NEW(id), NEW(page), NEW(planned->channel), data, NEW(rule->strategy), NEW(rule->group),
        NEW(planned->message), NEW(planned->answerable), NEW(attach), NEW(rule->valid_for)};
    PyObject *sent[] = {
        NEW(id), NEW(moment->now), NEW(AT(moment->visitor, names.visitor.events)), NEW(visit),
        NEW(page), NEW(rule->strategy), NEW(rule->group), NEW(planned->message),
        NEW(planned->answerable), NEW(Py_False), NEW(Py_True),
        NEW(planned->answerable == Py_True ? attach : Py_None), NEW(rule->valid_for),
        NEW(Py_False), NEW(AT(event, names.event.agents)), NEW(AT(event, names.event.pacing)),
        NEW(AT(event, names.event.draw))};
    PyObject *one = tuple_of(names.send, 10, send), *other = tuple_of(names.sent, 17, sent);
    if (other != NULL)
        PyObject_GC_UnTrack(other); /* values of JSON: no cycle goes through it */
    int failed = pile_add(ids, id) + pile_add(&given->sends, one) + pile_add(&given->log, other);
    return failed ? -1 : 0;
}

static int
offers(const Rule *rule, Moment *moment, Given *given, Pile *ids)
{
    PyObject *attach = Py_NewRef(names.nothing);
    if (rule->attach != NULL) {
        Py_DECREF(attach);
        PyObject *scene = moment_scene(moment);
        attach = scene == NULL ? NULL : PyObject_CallOneArg(rule->attach, scene);
    }
    int failed = attach == NULL;
    for (int n = 0; !failed && n < rule->send_count; n++)
        failed = offer(rule, &rule->sends[n], moment, attach, given, ids);
    Py_XDECREF(attach);
    return failed ? -1 : 0;
}

int
rule_decide(const Rule *rule, Moment *moment, Given *given)
{
    PyObject *reason = reason_of(rule, moment);
    if (reason == NULL)
        return -1;
    if (reason == Py_None)
        given->acting[given->acting_count++] = rule;
    if (rule->send_count == 0)
        return 0;
    PILE(ids);
    PyObject *decision = NULL, *event = moment->event;
    if (reason != Py_None || !offers(rule, moment, given, &ids)) {
        PyObject *values[] = {
            NEW(moment->now), NEW(AT(event, names.event.visit)), NEW(AT(event, names.event.page)),
            NEW(AT(event, names.event.name)), NEW(rule->strategy), NEW(rule->place), NEW(reason),
            pile_tuple(&ids)};
        decision = tuple_of(names.decision, 8, values);
    }
    pile_free(&ids);
    return pile_add(&given->decisions, decision);
}

/* step.Work._set_fact; a copy of a visitor shares its facts, so they are never changed in place. */
static int
set_fact(const SetPlan *set, Moment *moment, PyObject *value)
{
    PyObject *record = set->of_visitor ? moment->visitor : moment->visit;
    Slot slot = set->of_visitor ? names.visitor.facts : names.visit.facts;
    PyObject *facts = PyDict_Copy(AT(record, slot));
    int failed = facts == NULL || PyDict_SetItem(facts, set->fact, value);
    if (!failed)
        put(record, slot, facts);
    Py_XDECREF(facts);
    return failed ? -1 : 0;
}

/* step.Work._apply_set */
static int
apply_set(const SetPlan *set, Moment *moment, PyObject *value)
{
    PyObject *answer = PyObject_CallOneArg(set->admits, value);
    int admitted = answer == NULL ? -1 : PyObject_IsTrue(answer);
    Py_XDECREF(answer);
    return admitted > 0 ? set_fact(set, moment, value) : admitted;
}

/* All values are found before the first of them is set. */
int
rules_set(Moment *moment, const Given *given)
{
    PILE(values);
    int failed = 0;
    for (int n = given->acting_count - 1; !failed && n >= 0; n--) {
        const Rule *rule = given->acting[n];
        for (int m = 0; !failed && m < rule->set_count; m++) {
            PyObject *scene = moment_scene(moment);
            failed = scene == NULL
                     || pile_add(&values, PyObject_CallOneArg(rule->sets[m].value, scene));
        }
    }
    Py_ssize_t place = 0;
    for (int n = given->acting_count - 1; !failed && n >= 0; n--)
        for (int m = 0; !failed && m < given->acting[n]->set_count; m++)
            failed = apply_set(&given->acting[n]->sets[m], moment, values.items[place++]);
    pile_free(&values);
    return failed ? -1 : 0;
}
