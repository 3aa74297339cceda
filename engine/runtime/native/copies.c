/* A visitor once more, sharing nothing that is ever changed in place: visitor.Visitor.copy.

   A host decides on a copy and keeps the old one until the new one is durable, so this is done for
   every event or batch of them. */

#include "road.h"

/* The same record again; what its slots hold is shared until it is put otherwise. */
static PyObject *
shallow(PyObject *record)
{
    PyTypeObject *type = Py_TYPE(record);
    PyObject *made = type->tp_alloc(type, 0);
    for (Slot slot = sizeof(PyObject); made != NULL && slot < type->tp_basicsize;
         slot += sizeof(PyObject *))
        AT(made, slot) = Py_XNewRef(AT(record, slot));
    return made;
}

/* Puts a new value; steals it, and NULL is an error that is already there. */
static int
put_own(PyObject *record, Slot slot, PyObject *value)
{
    if (value == NULL)
        return -1;
    put(record, slot, value);
    Py_DECREF(value);
    return 0;
}

static PyObject *
list_copy(PyObject *list)
{
    return PyList_GetSlice(list, 0, PyList_GET_SIZE(list));
}

/* visitor.memory_copy */
static PyObject *
memory_copy(PyObject *memory)
{
    PyObject *made = PyDict_Copy(memory), *key, *value;
    Py_ssize_t place = 0;
    while (made != NULL && PyDict_Next(memory, &place, &key, &value))
        if (PyList_CheckExact(value)) {
            PyObject *own = list_copy(value);
            if (own == NULL || PyDict_SetItem(made, key, own))
                Py_CLEAR(made);
            Py_XDECREF(own);
        }
    return made;
}

typedef PyObject *(*Copy)(PyObject *);

/* A dictionary of copies. */
static PyObject *
each_copy(PyObject *records, Copy copy)
{
    PyObject *made = PyDict_New(), *key, *record;
    Py_ssize_t place = 0;
    while (made != NULL && PyDict_Next(records, &place, &key, &record)) {
        PyObject *own = copy(record);
        if (own == NULL || PyDict_SetItem(made, key, own))
            Py_CLEAR(made);
        Py_XDECREF(own);
    }
    return made;
}

static PyObject *
page_copy(PyObject *page)
{
    PyObject *made = shallow(page);
    if (made != NULL
        && put_own(made, names.page.memory, memory_copy(AT(page, names.page.memory))))
        Py_CLEAR(made);
    if (made != NULL)
        PyObject_GC_UnTrack(made); /* values of JSON: no cycle goes through it */
    return made;
}

static PyObject *
visit_copy(PyObject *visit)
{
    PyObject *made = shallow(visit);
    if (made != NULL
        && (put_own(made, names.visit.pages, each_copy(AT(visit, names.visit.pages), page_copy))
            || put_own(made, names.visit.memory, memory_copy(AT(visit, names.visit.memory)))
            || put_own(made, names.visit.sent, PyDict_Copy(AT(visit, names.visit.sent)))))
        Py_CLEAR(made);
    return made;
}

PyObject *
visitor_copy(PyObject *module, PyObject *visitor)
{
    (void)module;
    if (names_bind())
        return NULL;
    if (!Py_IS_TYPE(visitor, names.visitor.type)) {
        PyErr_SetString(PyExc_TypeError, "what is copied is a visitor");
        return NULL;
    }
    PyObject *made = shallow(visitor);
    if (made == NULL)
        return NULL;
    put(made, names.visitor.heard_of, Py_None);
    put(made, names.visitor.heard, Py_None);
    put(made, names.visitor.ledger, Py_None);
    if (put_own(made, names.visitor.visits,
                each_copy(AT(visitor, names.visitor.visits), visit_copy))
        || put_own(made, names.visitor.sends, list_copy(AT(visitor, names.visitor.sends)))
        || put_own(made, names.visitor.memory, memory_copy(AT(visitor, names.visitor.memory)))
        || put_own(made, names.visitor.timers, PyDict_Copy(AT(visitor, names.visitor.timers))))
        Py_CLEAR(made);
    return made;
}
