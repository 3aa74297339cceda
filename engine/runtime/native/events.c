/* Events from the bodies in which they are stored: the twin of ``road.event_of``. */

#include "road.h"

static struct {
    PyObject *name, *page, *id, *url, *title, *language, *category, *data, *agents;
} keys;

static int
keys_bind(void)
{
    if (keys.agents != NULL)
        return names_bind();
    keys.name = PyUnicode_InternFromString("eventName");
    keys.page = PyUnicode_InternFromString("pageID");
    keys.id = PyUnicode_InternFromString("eventID");
    keys.url = PyUnicode_InternFromString("url");
    keys.title = PyUnicode_InternFromString("title");
    keys.language = PyUnicode_InternFromString("languageCode");
    keys.category = PyUnicode_InternFromString("category");
    keys.data = PyUnicode_InternFromString("data");
    keys.agents = PyUnicode_InternFromString("agents");
    return PyErr_Occurred() ? -1 : names_bind();
}

/* The value, a new reference; what is not there is missing. */
static PyObject *
value_of(PyObject *body, PyObject *key)
{
    PyObject *value = PyDict_GetItemWithError(body, key);
    if (value == NULL && PyErr_Occurred())
        return NULL;
    return Py_NewRef(value == NULL ? Py_None : value);
}

/* A mapping, a new reference; an empty one is that of all events. */
static PyObject *
mapping_of(PyObject *body, PyObject *key)
{
    PyObject *value = PyDict_GetItemWithError(body, key);
    if (value == NULL && PyErr_Occurred())
        return NULL;
    int full = value == NULL ? 0 : PyObject_IsTrue(value);
    return full < 0 ? NULL : Py_NewRef(full ? value : names.nothing);
}

static PyObject *
event_from(PyObject *body, PyObject *name, PyObject *const *about)
{
    PyObject *event = names.event.type->tp_alloc(names.event.type, 0);
    if (event == NULL)
        return NULL;
    AT(event, names.event.name) = Py_NewRef(name);
    AT(event, names.event.visitor) = Py_NewRef(about[0]);
    AT(event, names.event.visit) = Py_NewRef(about[1]);
    AT(event, names.event.time) = Py_NewRef(about[2]);
    AT(event, names.event.page) = value_of(body, keys.page);
    AT(event, names.event.id) = value_of(body, keys.id);
    AT(event, names.event.url) = value_of(body, keys.url);
    AT(event, names.event.title) = value_of(body, keys.title);
    AT(event, names.event.language) = value_of(body, keys.language);
    AT(event, names.event.category) = value_of(body, keys.category);
    AT(event, names.event.data) = mapping_of(body, keys.data);
    AT(event, names.event.agents) = mapping_of(body, keys.agents);
    AT(event, names.event.pacing) = Py_NewRef(names.nothing);
    AT(event, names.event.draw) = Py_NewRef(Py_None);
    if (PyErr_Occurred())
        Py_CLEAR(event);
    return event;
}

PyObject *
event_in(PyObject *stored, PyObject *const *about)
{
    if (keys_bind())
        return NULL;
    PyObject *body = PyDict_CheckExact(stored)
                         ? Py_NewRef(stored)
                         : PyObject_CallOneArg((PyObject *)&PyDict_Type, stored);
    PyObject *name = body == NULL ? NULL : PyDict_GetItemWithError(body, keys.name);
    if (body != NULL && name == NULL && !PyErr_Occurred())
        PyErr_SetObject(PyExc_KeyError, keys.name);
    PyObject *event = name == NULL ? NULL : event_from(body, name, about);
    Py_XDECREF(body);
    return event;
}

PyObject *
event_of(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    (void)module;
    if (count == 4)
        return event_in(args[0], args + 1);
    PyErr_SetString(PyExc_TypeError, "event_of takes a body, a visitor, a visit and a time");
    return NULL;
}
