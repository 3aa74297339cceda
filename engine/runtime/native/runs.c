/* Runs of events: the twin of ``runs.py``. */

#include "road.h"

/* What comes of the event in a body: None for nothing. NULL with an error. */
static PyObject *
taken(const Road *road, PyObject *plan, PyObject *visitor, PyObject *body, PyObject *const *about)
{
    PyObject *event = event_in(body, about);
    PyObject *outcome = event == NULL ? NULL : walk_either(road, plan, visitor, event);
    Py_XDECREF(event);
    return outcome;
}

static PyObject *
follow(const Road *road, PyObject *plan, PyObject *visitor, PyObject *bodies,
       PyObject *const *about)
{
    PyObject *outcome = Py_NewRef(Py_None);
    Py_ssize_t place = 0;
    while (outcome == Py_None && place < PyList_GET_SIZE(bodies)) {
        PyObject *body = Py_NewRef(PyList_GET_ITEM(bodies, place++));
        Py_SETREF(outcome, taken(road, plan, visitor, body, about));
        Py_DECREF(body);
    }
    return outcome == NULL ? NULL : Py_BuildValue("nN", place, outcome);
}

PyObject *
road_follow(Road *road, PyObject *const *args, Py_ssize_t count)
{
    if (count != 5 || !PyList_Check(args[2]) || !Py_IS_TYPE(args[1], names.visitor.type)) {
        PyErr_SetString(PyExc_TypeError,
                        "follow takes a plan, a visitor, a list of bodies, a visit and a time");
        return NULL;
    }
    PyObject *about[] = {Py_NewRef(AT(args[1], names.visitor.id)), args[3], args[4]};
    PyObject *found = follow(road, args[0], args[1], args[2], about);
    Py_DECREF(about[0]);
    return found;
}
