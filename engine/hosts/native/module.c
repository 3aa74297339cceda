/* The module, and what its functions take from Python. */

#include "rows.h"

Words words;

const char *
ascii_text(PyObject *value, Py_ssize_t *length)
{
    if (!PyUnicode_Check(value) || !PyUnicode_IS_COMPACT_ASCII(value))
        return NULL;
    *length = PyUnicode_GET_LENGTH(value);
    return PyUnicode_DATA(value);
}

const char *
plain_text(PyObject *value, Py_ssize_t *length)
{
    const char *text = ascii_text(value, length);
    for (Py_ssize_t n = 0; text != NULL && n < *length; n++)
        if (text[n] < ' ' || text[n] > '~' || text[n] == '"' || text[n] == '\\')
            return NULL;
    return text;
}

static PyObject *
imported(const char *module, const char *name)
{
    PyObject *from = PyImport_ImportModule(module);
    PyObject *found = from == NULL ? NULL : PyObject_GetAttrString(from, name);
    Py_XDECREF(from);
    return found;
}

int
words_bind(void)
{
    struct { const char *text; PyObject **word; } texts[] = {
        {"kind", &words.kind}, {"visit", &words.visit}, {"time", &words.time},
        {"version", &words.version}, {"epoch", &words.epoch}, {"id", &words.id},
        {"body", &words.body}, {"event", &words.event}, {"[]", &words.none_decided},
    };
    if (words.crc32 != NULL)
        return 0;
    for (size_t n = 0; n < sizeof texts / sizeof *texts; n++)
        if ((*texts[n].word = PyUnicode_InternFromString(texts[n].text)) == NULL)
            return -1;
    words.mark_of = imported("engine.hosts.marks", "mark_of");
    words.run_in = words.mark_of ? imported("engine.hosts.marks", "run_in") : NULL;
    words.journal_row = words.run_in ? imported("engine.hosts.rows", "journal_row") : NULL;
    words.crc32 = words.journal_row ? imported("zlib", "crc32") : NULL;
    return words.crc32 == NULL ? -1 : 0;
}

static PyMethodDef functions[] = {
    {"run_of", (PyCFunction)(void (*)(void))run_of, METH_FASTCALL,
     "run_of(inputs, start, seen): the bodies of events that go together, and their marks."},
    {"rows_of", (PyCFunction)(void (*)(void))rows_of, METH_FASTCALL,
     "rows_of(offset, before, visitor, inputs, texts, decisions): rows of the journal."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "engine.hosts._rows",
    .m_doc = "Marks and rows of a submit, natively; see engine/hosts/native/README.md.",
    .m_size = -1,
    .m_methods = functions,
};

PyMODINIT_FUNC
PyInit__rows(void)
{
    return PyModule_Create(&module);
}
