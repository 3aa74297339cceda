/* Rows of the journal from the inputs of a submit: the twin of ``rows.py``. */

#include "rows.h"

#define MOST 1024 /* bytes of the columns beside body and decisions; more are left to Python */

/* Columns being written as JSON; ``full`` when they are not plain, or too long. */
typedef struct { char text[MOST]; size_t used; bool full; } Columns;

static void
add(Columns *columns, const char *text, size_t length)
{
    if (columns->full || length > MOST - columns->used) {
        columns->full = true;
        return;
    }
    memcpy(columns->text + columns->used, text, length);
    columns->used += length;
}

/* Numbers of a journal are no negative ones: the others are left to Python. */
static void
add_number(Columns *columns, PyObject *value)
{
    char digits[24], *first = digits + sizeof digits;
    int overflow;
    long long number = PyLong_AsLongLongAndOverflow(value, &overflow);
    columns->full |= overflow != 0 || number < 0;
    do
        *--first = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    add(columns, first, digits + sizeof digits - first);
}

/* Adds a number, a text without signs to escape, or null. */
static void
add_value(Columns *columns, PyObject *value)
{
    Py_ssize_t length;
    const char *text;
    if (columns->used > 1)
        add(columns, ",", 1);
    if (value == Py_None)
        add(columns, "null", 4);
    else if (PyLong_CheckExact(value))
        add_number(columns, value);
    else if ((text = plain_text(value, &length)) != NULL) {
        add(columns, "\"", 1);
        add(columns, text, length);
        add(columns, "\"", 1);
    }
    else
        columns->full = true;
}

/* The first nine columns: new references. -1 with an error, and none of them is held. */
static int
others_read(PyObject **others, PyObject *offset, PyObject *before, PyObject *visitor, PyObject *one)
{
    PyObject *const names[] = {words.visit, words.kind, words.time, words.version, words.epoch,
                               words.id};
    others[0] = Py_NewRef(offset);
    others[1] = Py_NewRef(before);
    others[2] = Py_NewRef(visitor);
    for (int n = 0; n < 6; n++)
        if ((others[3 + n] = PyObject_GetAttr(one, names[n])) == NULL) {
            for (int held = 0; held < 3 + n; held++)
                Py_DECREF(others[held]);
            return -1;
        }
    return 0;
}

/* The checksum over body, decisions (none) and the other columns; NULL with an error. */
static PyObject *
checksum_of(const char *body, Py_ssize_t length, const Columns *columns)
{
    PyObject *all = PyBytes_FromStringAndSize(NULL, length + 2 + (Py_ssize_t)columns->used);
    if (all == NULL)
        return NULL;
    char *at = PyBytes_AS_STRING(all);
    memcpy(at, body, length);
    memcpy(at + length, "[]", 2);
    memcpy(at + length + 2, columns->text, columns->used);
    PyObject *checksum = PyObject_CallOneArg(words.crc32, all);
    Py_DECREF(all);
    return checksum;
}

/* Adds a row of which nothing was decided. 1: done, 0: it is not plain, -1: an error. */
static int
add_plain(PyObject *values, PyObject **others, PyObject *body)
{
    Columns columns = {.used = 0, .full = false};
    Py_ssize_t length;
    add(&columns, "[", 1);
    for (int n = 0; n < 9; n++)
        add_value(&columns, others[n]);
    add(&columns, "]", 1);
    const char *text = columns.full || !PyUnicode_Check(body)
                           ? NULL
                           : PyUnicode_AsUTF8AndSize(body, &length);
    if (text == NULL) {
        PyErr_Clear(); /* Python will say what is wrong with it */
        return 0;
    }
    PyObject *checksum = checksum_of(text, length, &columns);
    int failed = checksum == NULL;
    for (int n = 0; !failed && n < 9; n++)
        failed = PyList_Append(values, others[n]);
    failed = failed || PyList_Append(values, body) || PyList_Append(values, words.none_decided)
             || PyList_Append(values, checksum);
    Py_XDECREF(checksum);
    return failed ? -1 : 1;
}

/* Adds a row as Python makes it. -1 with an error. */
static int
add_by_python(PyObject *values, PyObject **others, PyObject *one, PyObject *body,
              PyObject *decided)
{
    PyObject *row = PyObject_CallFunctionObjArgs(words.journal_row, others[0], others[1],
                                                 others[2], one, body, decided, NULL);
    Py_ssize_t end = PyList_GET_SIZE(values);
    int failed = row == NULL || PyList_SetSlice(values, end, end, row);
    Py_XDECREF(row);
    return failed ? -1 : 0;
}

static int
add_row(PyObject *values, PyObject *offset, PyObject *before, PyObject *const *args, Py_ssize_t n)
{
    PyObject *one = PyList_GET_ITEM(args[1], n), *body = PyList_GET_ITEM(args[2], n);
    PyObject *decided = PyTuple_GET_ITEM(args[3], n), *others[9];
    if (others_read(others, offset, before, args[0], one))
        return -1;
    bool nothing = PyTuple_CheckExact(decided) && PyTuple_GET_SIZE(decided) == 0;
    int added = nothing ? add_plain(values, others, body) : 0;
    if (added == 0)
        added = add_by_python(values, others, one, body, decided);
    for (int held = 0; held < 9; held++)
        Py_DECREF(others[held]);
    return added < 0 ? -1 : 0;
}

/* Adds the rows of all inputs that are no duplicates. -1 with an error. */
static int
add_rows(PyObject *values, long long number, PyObject *before, PyObject *const *args)
{
    int failed = 0;
    Py_INCREF(before);
    for (Py_ssize_t n = 0; !failed && n < PyList_GET_SIZE(args[1]); n++) {
        if (PyTuple_GET_ITEM(args[3], n) == Py_None)
            continue;
        PyObject *offset = PyLong_FromLongLong(number++);
        failed = offset == NULL || add_row(values, offset, before, args, n);
        if (offset != NULL)
            Py_SETREF(before, offset);
    }
    Py_DECREF(before);
    return failed ? -1 : 0;
}

PyObject *
rows_of(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    (void)module;
    if (words_bind())
        return NULL;
    if (count != 6 || !PyList_Check(args[3]) || !PyList_Check(args[4]) || !PyTuple_Check(args[5])
        || PyList_GET_SIZE(args[3]) != PyList_GET_SIZE(args[4])
        || PyList_GET_SIZE(args[3]) != PyTuple_GET_SIZE(args[5])) {
        PyErr_SetString(PyExc_TypeError, "rows_of takes an offset, the one before, a visitor, and "
                                         "as many inputs and texts (lists) as decisions (a tuple)");
        return NULL;
    }
    long long number = PyLong_AsLongLong(args[0]);
    if (number == -1 && PyErr_Occurred())
        return NULL;
    PyObject *values = PyList_New(0);
    if (values != NULL && add_rows(values, number, args[1], args + 2))
        Py_CLEAR(values);
    return values;
}
