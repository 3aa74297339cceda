/* The module, and the road: it is laid out once for a plan. */

#include "plain.h"

/* ---------------------------------------------------------------- laying a road out */

static int
read_special(Road *road, PyObject *plan)
{
    PyObject *special = held(&road->arena, plan, "special"), *name;
    PyObject *number = arena_hold(&road->arena, PyLong_FromLong(SPECIAL));
    PyObject *each = special == NULL || number == NULL ? NULL : PyObject_GetIter(special);
    int failed = each == NULL;
    while (!failed && (name = PyIter_Next(each)) != NULL) {
        failed = PyDict_SetItem(road->named, name, number);
        Py_DECREF(name);
    }
    Py_XDECREF(each);
    return failed || PyErr_Occurred() ? -1 : 0;
}

static int
read_indexes(Road *road, PyObject *plan)
{
    PyObject *named = held(&road->arena, plan, "named"), *others = held(&road->arena, plan, "others");
    road->named = arena_hold(&road->arena, PyDict_New());
    if (named == NULL || others == NULL || road->named == NULL)
        return -1;
    road->index_count = (int)PyDict_GET_SIZE(named) + 1;
    road->indexes = arena_new(&road->arena, road->index_count, sizeof(Index *));
    if (road->indexes == NULL || (road->indexes[0] = index_of(&road->arena, others)) == NULL)
        return -1;
    PyObject *name, *index;
    Py_ssize_t place = 0;
    for (int n = 1; PyDict_Next(named, &place, &name, &index); n++) {
        PyObject *number = PyLong_FromLong(n);
        int failed = number == NULL || PyDict_SetItem(road->named, name, number)
                     || (road->indexes[n] = index_of(&road->arena, index)) == NULL;
        Py_XDECREF(number);
        if (failed)
            return -1;
    }
    return read_special(road, plan);
}

static int
read_link(Road *road, int rank, PyObject *watch, PyObject *positions)
{
    Py_ssize_t count = PyTuple_GET_SIZE(positions);
    Watch *of = &road->watches[PyLong_AsLong(watch)];
    int *own = arena_new(&road->arena, count, sizeof(int));
    if (own == NULL)
        return -1;
    for (Py_ssize_t n = 0; n < count; n++)
        own[n] = (int)PyLong_AsLong(PyTuple_GET_ITEM(positions, n));
    of->links[of->count++] = (Link){rank, (int)count, own};
    return 0;
}

/* Of many things that are read in a row, after some: other threads answer visitors meanwhile.
   Nobody else knows the road that is being built, and the plan never changes. */
static void
give_way(Py_ssize_t number)
{
    if (number % 64 == 63) {
        Py_BEGIN_ALLOW_THREADS;
        Py_END_ALLOW_THREADS;
    }
}

/* For each watch, the rules that wait for it. */
static int
read_links(Road *road, PyObject *rules_of)
{
    PyObject *watch, *rules;
    Py_ssize_t place = 0;
    while (PyDict_Next(rules_of, &place, &watch, &rules)) {
        Py_ssize_t count = PyTuple_GET_SIZE(rules);
        give_way(place);
        Watch *of = &road->watches[PyLong_AsLong(watch)];
        of->links = arena_new(&road->arena, count, sizeof(Link));
        for (Py_ssize_t n = 0; of->links != NULL && n < count; n++) {
            PyObject *number = held(&road->arena, PyTuple_GET_ITEM(rules, n), "rank");
            int rank = number == NULL ? -1 : (int)PyLong_AsLong(number);
            PyObject *reached = rank < 0 ? NULL : road->rules[rank].reached_by;
            if (reached == NULL || read_link(road, rank, watch, PyDict_GetItem(reached, watch)))
                return -1;
        }
    }
    return PyErr_Occurred() ? -1 : 0;
}

/* The watch of a register; NULL with an error. */
static Watch *
watch_of(Road *road, PyObject *registers, Py_ssize_t place)
{
    PyObject *number = held(&road->arena, PyTuple_GET_ITEM(registers, place), "watch");
    return number == NULL ? NULL : &road->watches[PyLong_AsLong(number)];
}

/* The registers of each watch, in the order of its recorders. */
static int
read_registers(Road *road, PyObject *plan)
{
    PyObject *registers = held(&road->arena, plan, "registers");
    PyObject *recorders = held(&road->arena, plan, "recorders_of");
    Py_ssize_t count = PyErr_Occurred() ? 0 : PyTuple_GET_SIZE(registers);
    for (Py_ssize_t n = 0; n < count; n++) {
        Watch *watch = watch_of(road, registers, n);
        if (watch == NULL)
            return -1;
        watch->register_count++;
    }
    for (Py_ssize_t n = 0; n < count; n++) {
        give_way(n);
        PyObject *one = PyTuple_GET_ITEM(registers, n);
        Watch *watch = watch_of(road, registers, n);
        if (watch->registers == NULL) {
            watch->registers = arena_new(&road->arena, watch->register_count, sizeof(Register));
            watch->register_count = 0; /* it counts those that were read from here on */
        }
        PyObject *own = PyDict_GetItem(recorders, held(&road->arena, one, "watch"));
        if (own == NULL || watch->registers == NULL)
            return -1;
        Register *into = &watch->registers[watch->register_count];
        if (register_read(&road->arena, into, one, PyTuple_GET_ITEM(own, watch->register_count++)))
            return -1;
    }
    return PyErr_Occurred() ? -1 : 0;
}

/* The rules by the keys of their timers, for what may end a silence. */
static int
read_ranks(Road *road)
{
    road->ranks = arena_hold(&road->arena, PyDict_New());
    road->unmoved = arena_new(&road->arena, road->rule_count, sizeof(Link));
    if (road->ranks == NULL || road->unmoved == NULL)
        return -1;
    for (int n = 0; n < road->rule_count; n++) {
        PyObject *rank = PyLong_FromLong(n);
        int failed = rank == NULL || PyDict_SetItem(road->ranks, road->rules[n].key, rank);
        Py_XDECREF(rank);
        if (failed)
            return -1;
        road->unmoved[n].rank = n;
    }
    return 0;
}

static int
read_watches(Road *road, PyObject *plan)
{
    PyObject *guarantees = held(&road->arena, plan, "guarantees_of");
    PyObject *rules_of = held(&road->arena, plan, "rules_of"), *watch, *value;
    PyObject *cancelling = held(&road->arena, plan, "cancelling");
    Py_ssize_t place = 0;
    if (PyErr_Occurred())
        return -1;
    while (PyDict_Next(guarantees, &place, &watch, &value))
        road->watches[PyLong_AsLong(watch)].guarded = true;
    for (int n = 0; n < road->watch_count; n++) {
        PyObject *number = PyLong_FromLong(n);
        road->watches[n].cancels = number != NULL && PySet_Contains(cancelling, number) > 0;
        Py_XDECREF(number);
    }
    return read_ranks(road) || read_links(road, rules_of) || read_registers(road, plan) ? -1 : 0;
}

static int
read_rules(Road *road, PyObject *plan)
{
    PyObject *rules = held(&road->arena, plan, "rules"), *sends = held(&road->arena, plan, "sends");
    PyObject *enforces = held(&road->arena, plan, "enforces");
    PyObject *watches = held(&road->arena, plan, "watches");
    if (PyErr_Occurred())
        return -1;
    /* What is sent moves patterns, or is tried against guarantees: then Python decides. */
    bool plain = enforces != Py_True && PyDict_GET_SIZE(sends) == 0;
    road->rule_count = (int)PyTuple_GET_SIZE(rules);
    road->watch_count = (int)PyTuple_GET_SIZE(watches);
    road->rules = arena_new(&road->arena, road->rule_count, sizeof(Rule));
    road->watches = arena_new(&road->arena, road->watch_count, sizeof(Watch));
    if (road->rules == NULL || road->watches == NULL)
        return -1;
    for (int n = 0; n < road->rule_count; n++) {
        give_way(n);
        if (rule_read(&road->arena, &road->rules[n], PyTuple_GET_ITEM(rules, n), plain))
            return -1;
    }
    return read_watches(road, plan);
}

static int
read_plan(Road *road, PyObject *plan)
{
    road->version = held(&road->arena, plan, "version");
    road->conditions = held(&road->arena, plan, "conditions");
    PyObject *expiry = held(&road->arena, plan, "visit_expiry");
    if (PyErr_Occurred())
        return -1;
    road->expiry = PyLong_AsLongLong(expiry);
    PyObject *categories = held(&road->arena, road->conditions, "categories");
    return categories == NULL || PyErr_Occurred() || read_rules(road, plan)
                   || read_indexes(road, plan)
                   || categories_read(&road->arena, &road->categories, categories)
               ? -1
               : 0;
}

static PyObject *
road_new(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    PyObject *plan;
    static char *words[] = {"plan", NULL};
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "O", words, &plan) || names_bind())
        return NULL;
    Road *road = (Road *)type->tp_alloc(type, 0);
    if (road == NULL)
        return NULL;
    road->arena.held = PyList_New(0);
    if (road->arena.held == NULL || read_plan(road, plan)) {
        Py_DECREF(road);
        return NULL;
    }
    return (PyObject *)road;
}

static int
road_traverse(Road *road, visitproc visit, void *arg)
{
    Py_VISIT(road->arena.held);
    return 0;
}

static int
road_clear(Road *road)
{
    Py_CLEAR(road->arena.held);
    return 0;
}

static void
road_dealloc(Road *road)
{
    PyObject_GC_UnTrack(road);
    road_clear(road);
    arena_free(&road->arena);
    Py_TYPE(road)->tp_free((PyObject *)road);
}

static PyObject *
empty_outcome(PyObject *visitor)
{
    PyObject *values[] = {Py_NewRef(visitor), Py_NewRef(names.empty), Py_NewRef(names.empty),
                          Py_NewRef(names.empty)};
    return tuple_of(names.outcome, 4, values);
}

static PyObject *
road_walk(Road *road, PyObject *const *args, Py_ssize_t count)
{
    if (count != 3) {
        PyErr_SetString(PyExc_TypeError, "walk takes a plan, a visitor and a moment");
        return NULL;
    }
    PyObject *outcome = NULL;
    switch (walk(road, args[0], args[1], args[2], &outcome)) {
    case FAILED:
        return NULL;
    case LONG_ROAD:
        Py_RETURN_NONE;
    default:
        if (outcome != Py_None)
            return outcome;
        Py_DECREF(outcome);
        return empty_outcome(args[1]);
    }
}

static PyMethodDef road_methods[] = {
    {"walk", (PyCFunction)(void (*)(void))road_walk, METH_FASTCALL,
     "walk(plan, visitor, moment): the outcome, in place; None when the road is too short for it, "
     "and then nothing has changed."},
    {"follow", (PyCFunction)(void (*)(void))road_follow, METH_FASTCALL,
     "follow(plan, visitor, bodies, visit, time): events of stored bodies, in place, until "
     "something comes of one; their number, and that outcome or None."},
    {NULL, NULL, 0, NULL},
};

PyTypeObject road_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "engine.runtime._road.Road",
    .tp_doc = "Road(plan): the short road of a plan.",
    .tp_basicsize = sizeof(Road),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_new = road_new,
    .tp_traverse = (traverseproc)road_traverse,
    .tp_clear = (inquiry)road_clear,
    .tp_dealloc = (destructor)road_dealloc,
    .tp_methods = road_methods,
};

static PyMethodDef functions[] = {
    {"copy_of", visitor_copy, METH_O, "copy_of(visitor): the same again, sharing nothing."},
    {"event_of", (PyCFunction)(void (*)(void))event_of, METH_FASTCALL,
     "event_of(body, visitor, visit, time): the event of a stored body."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "engine.runtime._road",
    .m_doc = "The short road of one event, natively; see engine/runtime/native/README.md.",
    .m_size = -1,
    .m_methods = functions,
};

PyMODINIT_FUNC
PyInit__road(void)
{
    PyObject *made = PyModule_Create(&module);
    if (made == NULL || PyModule_AddType(made, &road_type) || PyModule_AddType(made, &feeder_type)
        || PyModule_AddType(made, &answer_type)) {
        Py_XDECREF(made);
        return NULL;
    }
    return made;
}
