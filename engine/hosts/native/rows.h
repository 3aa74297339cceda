/* Marks of inputs and rows of the journal, natively: what the files share. README.md says why. */

#ifndef OVERTURE_ROWS_H
#define OVERTURE_ROWS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Names of attributes, and the twins in Python for what is not plain. */
typedef struct {
    PyObject *kind, *visit, *time, *version, *epoch, *id, *body, *event, *none_decided;
    PyObject *mark_of, *run_in, *journal_row, *crc32;
} Words;

extern Words words;

/* Before anything else; -1 with an error. */
int words_bind(void);
/* The bytes of a text of ASCII, borrowed; NULL, without an error, for any other value. */
const char *ascii_text(PyObject *value, Py_ssize_t *length);
/* The same, of signs that JSON does not escape. */
const char *plain_text(PyObject *value, Py_ssize_t *length);

/* ---------------------------------------------------------------- digest.c */

/* The first eight bytes of BLAKE2b with a digest of eight bytes (RFC 7693), the lowest first. */
uint64_t digest_of(const uint8_t *bytes, size_t count);

/* ---------------------------------------------------------------- marks.c */

/* run_of(inputs, start, seen), as a function of the module. */
PyObject *run_of(PyObject *module, PyObject *const *args, Py_ssize_t count);

/* ---------------------------------------------------------------- journal.c */

/* rows_of(offset, before, visitor, inputs, texts, decisions), as a function of the module. */
PyObject *rows_of(PyObject *module, PyObject *const *args, Py_ssize_t count);

#endif
