/* Visits and pages: opened by what happens on them, and closed.

   Each function here is the twin of one of visitor.Visitor, named in its comment. */

#include "road.h"

/* ---------------------------------------------------------------- opening */

static PyObject *
new_page(PyObject *order)
{
    PyObject *memory = PyDict_New();
    PyObject *page = memory == NULL ? NULL : names.page.type->tp_alloc(names.page.type, 0);
    if (page == NULL) {
        Py_XDECREF(memory);
        return NULL;
    }
    AT(page, names.page.opened) = Py_NewRef(order);
    AT(page, names.page.entered) = Py_NewRef(names.zero);
    AT(page, names.page.memory) = memory;
    PyObject_GC_UnTrack(page); /* values of JSON: no cycle goes through it */
    return page;
}

int
one_more(PyObject *record, Slot slot)
{
    PyObject *number = PyLong_FromLongLong(PyLong_AsLongLong(AT(record, slot)) + 1);
    if (number == NULL)
        return -1;
    put(record, slot, number);
    Py_DECREF(number);
    return 0;
}

/* visitor.Visitor.open, for a visit that is known already and a page that there is room for. */
static int
hear_of(Moment *moment, PyObject *visit)
{
    PyObject *pages = AT(visit, names.visit.pages), *name = AT(moment->event, names.event.page);
    PyObject *order = AT(moment->visitor, names.visitor.events);
    put(visit, names.visit.last, moment->now);
    PyObject *page = PyDict_GetItemWithError(pages, name);
    if (page == NULL) {
        page = PyErr_Occurred() ? NULL : new_page(order);
        int failed = page == NULL || PyDict_SetItem(pages, name, page);
        Py_XDECREF(page); /* the visit keeps it */
        if (failed)
            return -1;
    }
    moment->page = page;
    if (!same_text(AT(moment->event, names.event.name), names.page_entered))
        return 0;
    put(page, names.page.entered, order);
    return one_more(visit, names.visit.entered);
}

/* The visit of the event, borrowed; NULL when it is not known (or with an error). */
static PyObject *
visit_of(const Moment *moment)
{
    PyObject *visitor = moment->visitor, *name = AT(moment->event, names.event.visit);
    PyObject *heard_of = AT(visitor, names.visitor.heard_of);
    if (heard_of != Py_None && same_text(heard_of, name))
        return AT(visitor, names.visitor.heard);
    PyObject *visit = PyDict_GetItemWithError(AT(visitor, names.visitor.visits), name);
    if (visit != NULL) {
        put(visitor, names.visitor.heard_of, name);
        put(visitor, names.visitor.heard, visit);
    }
    return visit;
}

/* Opens what the event is of; ``visit`` and ``page`` of the moment are borrowed from the visitor. */
int
places_open(Moment *moment)
{
    PyObject *event = moment->event, *page = AT(event, names.event.page);
    PyObject *visit = visit_of(moment);
    if (visit == NULL && PyErr_Occurred())
        return -1;
    PyObject *pages = visit == NULL ? NULL : AT(visit, names.visit.pages);
    bool room = pages != NULL
                && (PyDict_GET_SIZE(pages) < names.pages_open || PyDict_Contains(pages, page) > 0);
    if (room) {
        moment->visit = visit;
        return hear_of(moment, visit);
    }
    PyObject *opened = PyObject_CallMethodOneArg(moment->visitor, names.open, event);
    if (opened == NULL)
        return -1;
    moment->visit = opened;
    Py_DECREF(opened); /* the visitor keeps it */
    moment->page = PyDict_GetItemWithError(AT(opened, names.visit.pages), page);
    return moment->page == NULL ? -1 : 0;
}

/* ---------------------------------------------------------------- closing */

/* The places of fields in a ``Sent``. */
enum { SENT_VISIT = 3, SENT_WAITING = 8 };

/* Is nothing but the page itself to be forgotten: no silence on it, no message that waits? */
static bool
closes_alone(const Moment *moment)
{
    PyObject *key, *value, *timers = AT(moment->visitor, names.visitor.timers);
    Py_ssize_t place = 0;
    while (PyDict_Next(timers, &place, &key, &value))
        if (PyTuple_GET_SIZE(PyTuple_GET_ITEM(key, 0)) == 2)
            return false;
    PyObject *sends = AT(moment->visitor, names.visitor.sends);
    for (Py_ssize_t n = PyList_GET_SIZE(sends) - 1; n >= 0; n--) {
        PyObject *sent = PyList_GET_ITEM(sends, n);
        if (PyTuple_GET_ITEM(sent, SENT_WAITING) != Py_False
            && same_text(PyTuple_GET_ITEM(sent, SENT_VISIT), AT(moment->event, names.event.visit)))
            return false;
    }
    return true;
}

/* visitor.Visitor.close_page */
int
page_close(Moment *moment)
{
    PyObject *page = AT(moment->event, names.event.page);
    if (closes_alone(moment))
        return PyDict_DelItem(AT(moment->visit, names.visit.pages), page);
    PyObject *closed = PyObject_CallMethodObjArgs(moment->visitor, names.close_page,
                                                  AT(moment->event, names.event.visit), page, NULL);
    Py_XDECREF(closed);
    return closed == NULL ? -1 : 0;
}
