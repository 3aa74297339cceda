/* The index of index.py, laid out flat: what an event fits is found without a call of Python, unless
   a condition is left over that only Python can test. */

#include "index.h"

/* ---------------------------------------------------------------- reading a field */

static const struct { const char *name; Slot *slot; } ENVELOPE[] = {
    {"eventName", &names.event.name}, {"pageID", &names.event.page},
    {"visitID", &names.event.visit}, {"visitorID", &names.event.visitor},
    {"url", &names.event.url}, {"title", &names.event.title},
    {"language", &names.event.language}, {"category", &names.event.category},
};

static int
read_read(Arena *arena, Read *read, PyObject *from)
{
    const char *what = PyUnicode_AsUTF8(PyTuple_GetItem(from, 0));
    read->name = arena_hold(arena, Py_XNewRef(PyTuple_GetItem(from, 1)));
    read->call = arena_hold(arena, Py_XNewRef(PyTuple_GetItem(from, 2)));
    if (what == NULL || read->name == NULL || read->call == NULL)
        return -1;
    read->what = strcmp(what, "data") == 0 ? READ_DATA : READ_CALL;
    if (strcmp(what, "envelope") == 0)
        for (size_t n = 0; n < sizeof(ENVELOPE) / sizeof(*ENVELOPE); n++)
            if (PyUnicode_CompareWithASCIIString(read->name, ENVELOPE[n].name) == 0) {
                read->what = READ_SLOT;
                read->slot = *ENVELOPE[n].slot;
            }
    return 0;
}

/* The value, a new reference; NULL with an error. */
static PyObject *
read_value(const Read *read, Moment *moment)
{
    if (read->what == READ_SLOT)
        return Py_NewRef(AT(moment->event, read->slot));
    if (read->what == READ_DATA) {
        PyObject *data = AT(moment->event, names.event.data);
        if (data == names.nothing)
            return Py_NewRef(Py_None);
        if (PyDict_CheckExact(data)) {
            PyObject *value = PyDict_GetItemWithError(data, read->name);
            if (value == NULL && PyErr_Occurred())
                return NULL;
            return Py_NewRef(value == NULL ? Py_None : value);
        }
    }
    PyObject *scene = moment_scene(moment);
    return scene == NULL ? NULL : PyObject_CallOneArg(read->call, scene);
}

/* ---------------------------------------------------------------- laying it out */

static const int *
ints_read(Arena *arena, PyObject *list)
{
    Py_ssize_t count = PyList_Size(list);
    int *made = arena_new(arena, count, sizeof(int));
    for (Py_ssize_t n = 0; made != NULL && n < count; n++)
        made[n] = (int)PyLong_AsLong(PyList_GET_ITEM(list, n));
    return made;
}

static int
steps_read(Arena *arena, Steps *steps, PyObject *from)
{
    PyObject *read, *limits, *numbers, *tests;
    int upward, right;
    if (!PyArg_ParseTuple(from, "OppO!O!O", &read, &upward, &right, &PyList_Type, &limits,
                          &PyList_Type, &numbers, &tests)
        || read_read(arena, &steps->read, read))
        return -1;
    steps->upward = upward;
    steps->right = right;
    steps->count = (int)PyList_GET_SIZE(limits);
    steps->numbers = ints_read(arena, numbers);
    double *own = arena_new(arena, steps->count, sizeof(double));
    if (steps->numbers == NULL || own == NULL)
        return -1;
    for (int n = 0; n < steps->count; n++)
        own[n] = PyFloat_AsDouble(PyList_GET_ITEM(limits, n));
    steps->limits = own;
    steps->tested = tests != Py_None;
    if (steps->tested) {
        steps->tests = arena_new(arena, steps->count, sizeof(PyObject *));
        for (int n = 0; steps->tests != NULL && n < steps->count; n++)
            steps->tests[n] = arena_hold(arena, Py_XNewRef(PyList_GetItem(tests, n)));
    }
    return PyErr_Occurred() ? -1 : 0;
}

static int
tested_read(Arena *arena, Tested *tested, PyObject *from)
{
    PyObject *test, *affix, *read;
    int ends;
    if (!PyArg_ParseTuple(from, "iOO", &tested->number, &test, &affix))
        return -1;
    tested->test = arena_hold(arena, Py_NewRef(test));
    if (affix == Py_None)
        return tested->test == NULL ? -1 : 0;
    if (!PyArg_ParseTuple(affix, "OpU", &read, &ends, &tested->affix.text)
        || read_read(arena, &tested->affix.read, read))
        return -1;
    tested->affix.ends = ends;
    arena_hold(arena, Py_NewRef(tested->affix.text));
    return PyErr_Occurred() ? -1 : 0;
}

static int
drawer_read(Arena *arena, Drawer *drawer, PyObject *from)
{
    PyObject *free, *steps, *tested;
    if (!PyArg_ParseTuple(from, "O!O!O!", &PyList_Type, &free, &PyList_Type, &steps, &PyList_Type,
                          &tested))
        return -1;
    drawer->free_count = (int)PyList_GET_SIZE(free);
    drawer->step_count = (int)PyList_GET_SIZE(steps);
    drawer->tested_count = (int)PyList_GET_SIZE(tested);
    drawer->free = ints_read(arena, free);
    drawer->steps = arena_new(arena, drawer->step_count, sizeof(Steps));
    drawer->tested = arena_new(arena, drawer->tested_count, sizeof(Tested));
    if (drawer->free == NULL || drawer->steps == NULL || drawer->tested == NULL)
        return -1;
    for (int n = 0; n < drawer->step_count; n++)
        if (steps_read(arena, &drawer->steps[n], PyList_GET_ITEM(steps, n)))
            return -1;
    for (int n = 0; n < drawer->tested_count; n++)
        if (tested_read(arena, &drawer->tested[n], PyList_GET_ITEM(tested, n)))
            return -1;
    return PyErr_Occurred() ? -1 : 0;
}

/* A dictionary of drawers as one of their numbers; the drawers go to the end of the list. */
static PyObject *
drawers_of(Arena *arena, PyObject *drawers, PyObject *all)
{
    PyObject *made = arena_hold(arena, PyDict_New()), *key, *drawer;
    Py_ssize_t place = 0;
    while (made != NULL && PyDict_Next(drawers, &place, &key, &drawer)) {
        PyObject *number = PyLong_FromSsize_t(PyList_GET_SIZE(all));
        int failed = number == NULL || PyDict_SetItem(made, key, number)
                     || PyList_Append(all, drawer);
        Py_XDECREF(number);
        if (failed)
            return NULL;
    }
    return made;
}

static int
tables_read(Arena *arena, Index *index, PyObject *tables, PyObject *all)
{
    index->table_count = (int)PyList_GET_SIZE(tables);
    index->tables = arena_new(arena, index->table_count, sizeof(Table));
    for (int n = 0; index->tables != NULL && n < index->table_count; n++) {
        PyObject *read, *texts, *numbers, *flags;
        Table *table = &index->tables[n];
        if (!PyArg_ParseTuple(PyList_GET_ITEM(tables, n), "OO!O!O!", &read, &PyDict_Type, &texts,
                              &PyDict_Type, &numbers, &PyDict_Type, &flags)
            || read_read(arena, &table->read, read))
            return -1;
        table->texts = drawers_of(arena, texts, all);
        table->numbers = drawers_of(arena, numbers, all);
        table->flags = drawers_of(arena, flags, all);
    }
    return PyErr_Occurred() ? -1 : 0;
}

static int
index_read(Arena *arena, Index *index, PyObject *from, PyObject *all)
{
    PyObject *always, *tables, *categories, *globs;
    if (!PyArg_ParseTuple(from, "OO!O!OOO", &always, &PyList_Type, &tables, &PyDict_Type,
                          &categories, &globs, &index->known, &index->fitting)
        || PyList_Append(all, always) || tables_read(arena, index, tables, all))
        return -1;
    index->categories = PyDict_GET_SIZE(categories) ? drawers_of(arena, categories, all) : NULL;
    index->globs = PyDict_GET_SIZE(globs) ? drawers_of(arena, globs, all) : NULL;
    arena_hold(arena, Py_NewRef(index->known));
    arena_hold(arena, Py_NewRef(index->fitting));
    index->drawer_count = (int)PyList_GET_SIZE(all);
    index->drawers = arena_new(arena, index->drawer_count, sizeof(Drawer));
    if (PyErr_Occurred())
        return -1;
    for (int n = 0; n < index->drawer_count; n++)
        if (drawer_read(arena, &index->drawers[n], PyList_GET_ITEM(all, n)))
            return -1;
    return 0;
}

Index *
index_of(Arena *arena, PyObject *from)
{
    PyObject *laid = PyObject_CallMethod(from, "laid_out", NULL), *all = PyList_New(0);
    Index *index = arena_new(arena, 1, sizeof(Index));
    bool failed = laid == NULL || all == NULL || index == NULL
                  || index_read(arena, index, laid, all) != 0;
    Py_XDECREF(laid);
    Py_XDECREF(all);
    return failed ? NULL : index;
}

int
categories_read(Arena *arena, Categories *own, PyObject *categories)
{
    PyObject *laid = arena_hold(arena, PyObject_CallMethod(categories, "laid_out", NULL)), *others;
    if (laid == NULL
        || !PyArg_ParseTuple(laid, "O!O!O", &PyTuple_Type, &own->names, &PyDict_Type, &own->known,
                             &others))
        return -1;
    own->others = others == Py_None ? NULL : index_of(arena, others);
    return PyErr_Occurred() ? -1 : 0;
}

/* ---------------------------------------------------------------- finding */

/* 1 when a test of the scene holds, 0 when not, -1 with an error. */
static int
holds(PyObject *test, Moment *moment)
{
    PyObject *scene = moment_scene(moment);
    PyObject *answer = scene == NULL ? NULL : PyObject_CallOneArg(test, scene);
    if (answer == NULL)
        return -1;
    int held = answer == Py_True ? 1 : answer == Py_False ? 0 : PyObject_IsTrue(answer);
    Py_DECREF(answer);
    return held;
}

/* How many limits lie before the value (``right``: or at it). */
int
steps_place(const Steps *steps, double value)
{
    int low = 0, high = steps->count;
    while (low < high) {
        int middle = (low + high) / 2;
        bool before = steps->right ? !(value < steps->limits[middle])
                                   : steps->limits[middle] < value;
        if (before)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The whole numbers that are far from any limit may lose their last digits: only limits of less
   than 2^53 are laid out here, and such a number stays on its side of all of them. */
static int
steps_collect(const Steps *steps, Moment *moment, Found *found)
{
    PyObject *value = read_value(&steps->read, moment);
    if (value == NULL)
        return -1;
    double size;
    bool sized = true;
    if (PyFloat_CheckExact(value))
        size = PyFloat_AS_DOUBLE(value);
    else if (PyLong_CheckExact(value)) {
        int overflow;
        long long exact = PyLong_AsLongLongAndOverflow(value, &overflow);
        size = overflow ? overflow * Py_HUGE_VAL : (double)exact;
    }
    else
        sized = false;
    Py_DECREF(value);
    if (!sized)
        return 0;
    int place = steps_place(steps, size);
    int from = steps->upward ? 0 : place, until = steps->upward ? place : steps->count;
    if (!steps->tested)
        return found_add(found, steps->numbers + from, until - from);
    for (int n = from; n < until; n++) {
        int held = steps->tests[n] == Py_None ? 1 : holds(steps->tests[n], moment);
        if (held < 0 || (held && found_add(found, &steps->numbers[n], 1)))
            return -1;
    }
    return 0;
}

/* Does the text begin or end as it must? -1 with an error. */
static int
fits_affix(const Affix *affix, Moment *moment)
{
    PyObject *value = read_value(&affix->read, moment);
    if (value == NULL)
        return -1;
    Py_ssize_t fits = 0;
    if (PyUnicode_CheckExact(value))
        fits = PyUnicode_Tailmatch(value, affix->text, 0, PY_SSIZE_T_MAX, affix->ends ? 1 : -1);
    Py_DECREF(value);
    return (int)fits;
}

static int
is_met(const Tested *tested, Moment *moment)
{
    int worth = tested->affix.text == NULL ? 1 : fits_affix(&tested->affix, moment);
    return worth == 1 ? holds(tested->test, moment) : worth;
}

static int
drawer_collect(const Drawer *drawer, Moment *moment, Found *found)
{
    if (drawer->free_count && found_add(found, drawer->free, drawer->free_count))
        return -1;
    for (int n = 0; n < drawer->step_count; n++)
        if (steps_collect(&drawer->steps[n], moment, found))
            return -1;
    for (int n = 0; n < drawer->tested_count; n++) {
        int held = is_met(&drawer->tested[n], moment);
        if (held < 0 || (held && found_add(found, &drawer->tested[n].number, 1)))
            return -1;
    }
    return 0;
}

static int
collect_at(const Index *index, PyObject *drawers, PyObject *key, Moment *moment, Found *found)
{
    PyObject *number = PyDict_GetItemWithError(drawers, key);
    if (number == NULL)
        return PyErr_Occurred() ? -1 : 0;
    return drawer_collect(&index->drawers[PyLong_AsLong(number)], moment, found);
}

static int
table_collect(const Index *index, const Table *table, Moment *moment, Found *found)
{
    PyObject *value = read_value(&table->read, moment), *drawers = NULL;
    if (value == NULL)
        return -1;
    if (PyUnicode_CheckExact(value))
        drawers = table->texts;
    else if (PyBool_Check(value))
        drawers = table->flags;
    else if (PyLong_CheckExact(value) || PyFloat_CheckExact(value))
        drawers = table->numbers;
    int failed = drawers == NULL ? 0 : collect_at(index, drawers, value, moment, found);
    Py_DECREF(value);
    return failed;
}

/* The drawers of all members of a set; NULL is an error that is already there. */
static int
collect_members(const Index *index, PyObject *drawers, PyObject *members, Moment *moment,
                Found *found)
{
    PyObject *each = members == NULL ? NULL : PyObject_GetIter(members), *member;
    int failed = each == NULL ? -1 : 0;
    while (!failed && (member = PyIter_Next(each)) != NULL) {
        failed = collect_at(index, drawers, member, moment, found);
        Py_DECREF(member);
    }
    Py_XDECREF(each);
    return failed || PyErr_Occurred() ? -1 : 0;
}

/* scene.Scene.categories, of an address that Python has met: each category's drawer. 0: not met.
   When they are those of the address alone, conditions that ask the scene find them there. */
static int
collect_known(const Index *index, Moment *moment, Found *found)
{
    const Categories *own = moment->categories;
    PyObject *known = PyDict_GetItemWithError(own->known, AT(moment->event, names.event.url));
    if (known == NULL)
        return PyErr_Occurred() ? -1 : 0;
    Py_INCREF(known); /* tests are calls of Python: meanwhile all addresses may be forgotten */
    Found others = {.room = 64, .items = others.few};
    int failed = own->others != NULL && index_find(own->others, moment, &others);
    if (!failed && others.count == 0)
        moment_is_in(moment, known);
    failed = failed || collect_members(index, index->categories, known, moment, found);
    for (int n = 0; !failed && n < others.count; n++)
        failed = collect_at(index, index->categories,
                            PyTuple_GET_ITEM(own->names, others.items[n]), moment, found);
    found_free(&others);
    Py_DECREF(known);
    return failed ? -1 : 1;
}

static int
collect_categories(const Index *index, Moment *moment, Found *found)
{
    int met = collect_known(index, moment, found);
    if (met)
        return met < 0 ? -1 : 0;
    PyObject *scene = moment_scene(moment);
    PyObject *own = scene == NULL ? NULL : PyObject_GetAttr(scene, names.categories);
    int failed = collect_members(index, index->categories, own, moment, found);
    Py_XDECREF(own);
    return failed;
}

static int
collect_globs(const Index *index, Moment *moment, Found *found)
{
    PyObject *url = AT(moment->event, names.event.url);
    if (url == Py_None)
        return 0;
    PyObject *fitting = PyDict_GetItemWithError(index->known, url);
    if (fitting == NULL && PyErr_Occurred())
        return -1;
    fitting = fitting != NULL ? Py_NewRef(fitting) : PyObject_CallOneArg(index->fitting, url);
    int failed = collect_members(index, index->globs, fitting, moment, found);
    Py_XDECREF(fitting);
    return failed;
}

int
index_find(const Index *index, Moment *moment, Found *found)
{
    /* Categories first: some of the tests that follow ask for them. */
    int failed = index->categories != NULL && collect_categories(index, moment, found);
    failed = failed || drawer_collect(&index->drawers[0], moment, found);
    for (int n = 0; !failed && n < index->table_count; n++)
        failed = table_collect(index, &index->tables[n], moment, found);
    if (!failed && index->globs != NULL)
        failed = collect_globs(index, moment, found);
    if (!failed && found->count > 1)
        found_once(found);
    return failed ? -1 : 0;
}
