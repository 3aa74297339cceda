/* Which events of a submit go together, and their marks: the twin of ``marks.py``. */

#include "rows.h"

#define MARK 8
#define SEEN 256
#define MOST 1024 /* bytes of what a mark is made of; longer ids are left to Python */

static const char signs[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* What all inputs of a run have in common; each holds its reference. */
typedef struct { PyObject *visit, *time, *version, *epoch; } Common;

static void
common_free(Common *common)
{
    Py_XDECREF(common->visit);
    Py_XDECREF(common->time);
    Py_XDECREF(common->version);
    Py_XDECREF(common->epoch);
}

static int
common_read(Common *common, PyObject *one)
{
    return (common->visit = PyObject_GetAttr(one, words.visit)) == NULL
                   || (common->time = PyObject_GetAttr(one, words.time)) == NULL
                   || (common->version = PyObject_GetAttr(one, words.version)) == NULL
                   || (common->epoch = PyObject_GetAttr(one, words.epoch)) == NULL
               ? -1
               : 0;
}

/* Is the attribute of the input this value? -1 with an error. */
static int
has(PyObject *one, PyObject *name, PyObject *value)
{
    PyObject *own = PyObject_GetAttr(one, name);
    if (own == NULL)
        return -1;
    int same = own == value ? 1 : PyObject_RichCompareBool(own, value, Py_EQ);
    Py_DECREF(own);
    return same;
}

static int
belongs(PyObject *one, const Common *common)
{
    int same = has(one, words.kind, words.event);
    if (same == 1)
        same = has(one, words.visit, common->visit);
    if (same == 1)
        same = has(one, words.time, common->time);
    if (same == 1)
        same = has(one, words.version, common->version);
    return same == 1 ? has(one, words.epoch, common->epoch) : same;
}

/* The text of which the digest is taken: ``length:visit id``. -1 when it is left to Python. */
static Py_ssize_t
spelled(char *into, PyObject *visit, PyObject *id)
{
    Py_ssize_t visit_length, id_length;
    const char *first = ascii_text(visit, &visit_length);
    const char *second = first == NULL ? NULL : ascii_text(id, &id_length);
    if (second == NULL || visit_length + id_length > MOST - 32)
        return -1;
    int begun = snprintf(into, 32, "%zd:", visit_length);
    memcpy(into + begun, first, visit_length);
    memcpy(into + begun + visit_length, second, id_length);
    return begun + visit_length + id_length;
}

static int
mark_by_python(char *mark, PyObject *visit, PyObject *id)
{
    PyObject *made = PyObject_CallFunctionObjArgs(words.mark_of, visit, id, NULL);
    Py_ssize_t length;
    const char *text = made == NULL ? NULL : PyUnicode_AsUTF8AndSize(made, &length);
    if (text != NULL && length == MARK)
        memcpy(mark, text, MARK);
    else if (text != NULL)
        PyErr_SetString(PyExc_ValueError, "a mark has eight signs");
    Py_XDECREF(made);
    return PyErr_Occurred() ? -1 : 0;
}

static int
mark_make(char *mark, PyObject *visit, PyObject *id)
{
    char text[MOST];
    Py_ssize_t length = spelled(text, visit, id);
    if (length < 0)
        return mark_by_python(mark, visit, id);
    uint64_t digest = digest_of((const uint8_t *)text, length);
    for (int group = 0; group < 2; group++, digest >>= 24) {
        /* Three bytes, the lowest first, are four signs. */
        uint32_t three = (digest & 0xff) << 16 | (digest & 0xff00) | (digest >> 16 & 0xff);
        for (int n = 0; n < 4; n++)
            mark[4 * group + n] = signs[three >> (18 - 6 * n) & 63];
    }
    return 0;
}

static bool
among(const char *marks, Py_ssize_t count, const char *mark)
{
    for (Py_ssize_t n = 0; n < count; n++)
        if (memcmp(marks + n * MARK, mark, MARK) == 0)
            return true;
    return false;
}

/* Is the mark among the last ones? ``marks`` are those that were seen and, after them, the new. */
static bool
is_known(const char *marks, Py_ssize_t count, const char *mark)
{
    Py_ssize_t from = count > SEEN ? count - SEEN : 0;
    return among(marks + from * MARK, count - from, mark);
}

/* Takes one input into the run. 1: it belongs, 0: the run ends before it, -1: an error. */
static int
take(PyObject *one, const Common *common, char *marks, Py_ssize_t known, PyObject *bodies)
{
    int same = belongs(one, common);
    PyObject *id = same == 1 ? PyObject_GetAttr(one, words.id) : NULL;
    if (id == NULL)
        return same == 1 ? -1 : same;
    char *mark = marks + known * MARK;
    int taken = id == Py_None ? 0 : mark_make(mark, common->visit, id) ? -1 : 1;
    Py_DECREF(id);
    if (taken != 1 || is_known(marks, known, mark))
        return taken == 1 ? 0 : taken;
    PyObject *body = PyObject_GetAttr(one, words.body);
    int failed = body == NULL || PyList_Append(bodies, body);
    Py_XDECREF(body);
    return failed ? -1 : 1;
}

/* All of a run. The number of its inputs; -1 with an error. */
static Py_ssize_t
gather(PyObject *inputs, Py_ssize_t start, char *marks, Py_ssize_t known, PyObject *bodies)
{
    Common common = {NULL, NULL, NULL, NULL};
    Py_ssize_t end = PyList_GET_SIZE(inputs), place = start;
    int taken = common_read(&common, PyList_GET_ITEM(inputs, start)) ? -1 : 1;
    for (; taken == 1 && place < end; place += taken == 1)
        taken = take(PyList_GET_ITEM(inputs, place), &common, marks, known + place - start, bodies);
    common_free(&common);
    return taken < 0 ? -1 : place - start;
}

static PyObject *
run_from(PyObject *inputs, Py_ssize_t start, const char *seen, Py_ssize_t length)
{
    Py_ssize_t rest = PyList_GET_SIZE(inputs) - start;
    char *marks = PyMem_Malloc(length + rest * MARK);
    PyObject *bodies = marks == NULL ? PyErr_NoMemory() : PyList_New(0), *run = NULL;
    if (bodies != NULL) {
        memcpy(marks, seen, length);
        Py_ssize_t taken = gather(inputs, start, marks, length / MARK, bodies);
        if (taken >= 0)
            run = Py_BuildValue("Os#", bodies, marks + length, taken * MARK);
        Py_DECREF(bodies);
    }
    PyMem_Free(marks);
    return run;
}

PyObject *
run_of(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    (void)module;
    if (words_bind())
        return NULL;
    if (count != 3 || !PyList_Check(args[0])) {
        PyErr_SetString(PyExc_TypeError, "run_of takes a list of inputs, a place and marks");
        return NULL;
    }
    Py_ssize_t start = PyLong_AsSsize_t(args[1]), length;
    if (start == -1 && PyErr_Occurred())
        return NULL;
    const char *seen = ascii_text(args[2], &length);
    if (seen == NULL || length % MARK || start < 0 || start >= PyList_GET_SIZE(args[0]))
        return PyObject_Vectorcall(words.run_in, args, 3, NULL);
    return run_from(args[0], start, seen, length);
}
