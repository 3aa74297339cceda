/* Registers: what is kept of the events that fit an atom, for aggregates.

   Each function here is the twin of one in aggregates.py, named in its comment. What is not laid
   out here (averages, nested fields, lists, numbers beyond 62 bits) its recorder of Python takes
   in, before anything is changed. */

#include "road.h"

/* ---------------------------------------------------------------- laying a register out */

int
register_read(Arena *arena, Register *own, PyObject *from, PyObject *recorder)
{
    static const char *const keeps[] = {"count", "last",  "times", "latest", "values",
                                        "sum",   "min",   "max",   NULL};
    static const char *const kinds[] = {"", "text", "boolean", "number", "time", "duration", NULL};
    static const char *const places[] = {"visitor", "visit", "page", NULL};
    PyObject *kept = held(arena, from, "keeps"), *place = held(arena, from, "place");
    PyObject *field = held(arena, from, "field"), *horizon = held(arena, from, "horizon");
    own->key = held(arena, from, "key");
    own->recorder = recorder; /* the plan holds it */
    if (PyErr_Occurred())
        return -1;
    int what = choice(kept, keeps), where = choice(place, places), kind = 0;
    if (what >= KEEPS_LATEST) {
        kind = field == Py_None ? -1 : choice(PyTuple_GET_ITEM(field, 1), kinds);
        own->field = field == Py_None ? NULL : PyTuple_GET_ITEM(field, 0);
    }
    bool here = what >= 0 && where >= 0 && kind >= 0 && whole(horizon, &own->horizon);
    own->keeps = here ? (Keeps)what : KEPT_BY_PYTHON;
    own->place = (Per)where;
    own->kind = (Declared)(kind > KIND_NUMBER ? KIND_NUMBER : kind);
    return 0;
}

/* ---------------------------------------------------------------- taking an event in */

typedef enum { TAKE_FAILED = -1, TAKEN, BY_PYTHON } Take;

/* Steals the value; NULL is an error that is already there. */
static Take
keep_value(PyObject *memory, PyObject *key, PyObject *value)
{
    int failed = value == NULL || PyDict_SetItem(memory, key, value);
    Py_XDECREF(value);
    return failed ? TAKE_FAILED : TAKEN;
}

/* aggregates._event_put: count */
static Take
take_count(const Register *own, PyObject *memory)
{
    PyObject *old = PyDict_GetItemWithError(memory, own->key);
    long long count = 0;
    if (old == NULL && PyErr_Occurred())
        return TAKE_FAILED;
    if (old != NULL && !whole(old, &count))
        return BY_PYTHON;
    return keep_value(memory, own->key, PyLong_FromLongLong(count + 1));
}

/* aggregates._last: what this event replaces stands in the scene, for ``since``. */
static Take
take_last(const Register *own, Moment *moment)
{
    PyObject *memory = AT(moment->visitor, names.visitor.memory), *scene = moment_scene(moment);
    if (scene == NULL)
        return TAKE_FAILED;
    if (AT(scene, names.scene.before) == names.nothing_replaced) {
        PyObject *before = PyDict_New();
        if (before == NULL)
            return TAKE_FAILED;
        put(scene, names.scene.before, before);
        Py_DECREF(before);
    }
    PyObject *old = PyDict_GetItemWithError(memory, own->key);
    if ((old == NULL && PyErr_Occurred())
        || PyDict_SetItem(AT(scene, names.scene.before), own->key, old ? old : names.before_all)
        || PyDict_SetItem(memory, own->key, moment->now))
        return TAKE_FAILED;
    return TAKEN;
}

/* The time of an entry: of ``times`` it is the entry, of ``values`` its first part. */
static bool
entry_time(const Register *own, PyObject *entry, long long *time)
{
    if (own->keeps == KEEPS_TIMES)
        return whole(entry, time);
    return PyTuple_CheckExact(entry) && PyTuple_GET_SIZE(entry) == 2
           && whole(PyTuple_GET_ITEM(entry, 0), time);
}

/* aggregates._forget: how many of the oldest no window reaches, or make room for one more; -1 when
   their times are not for here. */
static Py_ssize_t
forgotten(const Register *own, const Moment *moment, PyObject *kept)
{
    long long oldest = moment->time - own->horizon, time;
    Py_ssize_t gone = 0, count = PyList_GET_SIZE(kept);
    for (; gone < count; gone++) {
        if (!entry_time(own, PyList_GET_ITEM(kept, gone), &time))
            return -1;
        if (time > oldest)
            break;
    }
    Py_ssize_t many = count - names.events_kept + 1;
    return gone > many ? gone : many;
}

/* aggregates._event_put: times; aggregates._value_put: values. Steals the entry. */
static Take
take_entry(const Register *own, const Moment *moment, PyObject *memory, PyObject *entry)
{
    if (entry == NULL)
        return TAKE_FAILED;
    PyObject *kept = PyDict_GetItemWithError(memory, own->key);
    Py_ssize_t gone = 0;
    Take take = kept == NULL && PyErr_Occurred() ? TAKE_FAILED : TAKEN;
    if (kept != NULL) {
        gone = PyList_CheckExact(kept) ? forgotten(own, moment, kept) : -1;
        if (gone < 0)
            take = BY_PYTHON;
        else if ((gone > 0 && PyList_SetSlice(kept, 0, gone, NULL)) || PyList_Append(kept, entry))
            take = TAKE_FAILED;
    }
    else if (take == TAKEN) {
        PyObject *list = PyList_New(1);
        if (list != NULL)
            PyList_SET_ITEM(list, 0, Py_NewRef(entry));
        take = keep_value(memory, own->key, list);
    }
    Py_DECREF(entry);
    return take;
}

/* ---------------------------------------------------------------- values */

static bool
is_number(PyObject *value)
{
    return (PyLong_Check(value) || PyFloat_Check(value)) && !PyBool_Check(value);
}

/* Kind.admits */
static bool
admits(Declared kind, PyObject *value)
{
    switch (kind) {
    case KIND_ANY:
        return true;
    case KIND_TEXT:
        return PyUnicode_Check(value);
    case KIND_BOOLEAN:
        return PyBool_Check(value);
    default:
        return is_number(value);
    }
}

/* fields.field_reader, of one name: borrowed, None when it is missing. */
static Take
read_field(const Register *own, const Moment *moment, PyObject **value)
{
    PyObject *data = AT(moment->event, names.event.data);
    *value = NULL;
    if (PyDict_CheckExact(data))
        *value = PyDict_GetItemWithError(data, own->field);
    else if (data != names.nothing)
        return BY_PYTHON;
    if (*value == NULL && PyErr_Occurred())
        return TAKE_FAILED;
    if (*value == NULL || !admits(own->kind, *value))
        *value = Py_None;
    return TAKEN;
}

/* A number for here: a double that is finite, or a whole number of 62 bits. */
static bool
is_plain_number(PyObject *value)
{
    long long number;
    if (PyFloat_CheckExact(value))
        return Py_IS_FINITE(PyFloat_AS_DOUBLE(value));
    return whole(value, &number);
}

/* aggregates._RUNNING: sum, min and max, of plain numbers. */
static Take
take_running(const Register *own, PyObject *memory, PyObject *value)
{
    PyObject *found = PyDict_GetItemWithError(memory, own->key);
    if (found == NULL)
        return PyErr_Occurred() ? TAKE_FAILED : keep_value(memory, own->key, Py_NewRef(value));
    if (!is_plain_number(found))
        return BY_PYTHON;
    if (own->keeps == KEEPS_SUM) {
        PyObject *total = PyNumber_Add(found, value);
        if (total != NULL && !is_plain_number(total)) {
            Py_DECREF(total);
            return BY_PYTHON;
        }
        return keep_value(memory, own->key, total);
    }
    int better = PyObject_RichCompareBool(value, found, own->keeps == KEEPS_MIN ? Py_LT : Py_GT);
    if (better < 0)
        return TAKE_FAILED;
    return better ? keep_value(memory, own->key, Py_NewRef(value)) : TAKEN;
}

/* aggregates._value_put */
static Take
take_value(const Register *own, const Moment *moment, PyObject *memory)
{
    PyObject *value;
    Take read = read_field(own, moment, &value);
    if (read != TAKEN || value == Py_None)
        return read;
    if (own->keeps == KEEPS_LATEST)
        return keep_value(memory, own->key,
                          Py_BuildValue("[O{OO}]", moment->now, names.value, value));
    if (!is_number(value))
        return TAKEN;
    if (!is_plain_number(value))
        return BY_PYTHON; /* which knows what is too large */
    if (own->keeps == KEEPS_VALUES)
        return take_entry(own, moment, memory, PyTuple_Pack(2, moment->now, value));
    return take_running(own, memory, value);
}

static Take
take(const Register *own, Moment *moment)
{
    switch (own->keeps) {
    case KEPT_BY_PYTHON:
        return BY_PYTHON;
    case KEEPS_COUNT:
        return take_count(own, memory_of(own->place, moment));
    case KEEPS_LAST:
        return take_last(own, moment);
    case KEEPS_TIMES:
        return take_entry(own, moment, memory_of(own->place, moment), Py_NewRef(moment->now));
    default:
        return take_value(own, moment, memory_of(own->place, moment));
    }
}

int
register_take(const Register *own, Moment *moment)
{
    Take taken = take(own, moment);
    if (taken != BY_PYTHON)
        return taken;
    PyObject *scene = moment_scene(moment);
    PyObject *done = scene == NULL ? NULL : PyObject_CallOneArg(own->recorder, scene);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}
