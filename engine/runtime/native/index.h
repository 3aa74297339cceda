/* How an index lies in memory: for index.c, which lays it out, and fits.c, which reads it too. */

#ifndef OVERTURE_INDEX_H
#define OVERTURE_INDEX_H

#include "road.h"

typedef enum { READ_SLOT, READ_DATA, READ_CALL } ReadWhat;

typedef struct { ReadWhat what; Slot slot; PyObject *name, *call; } Read;

/* Thresholds on one field, each less than 2^53: a double holds them exactly. */
typedef struct {
    Read read;
    bool upward, right, tested;
    int count;
    const double *limits;
    const int *numbers;
    PyObject **tests;
} Steps;

/* What a text must begin or end with, before a test is worth its call; NULL: anything. */
typedef struct { Read read; bool ends; PyObject *text; } Affix;

typedef struct { int number; PyObject *test; Affix affix; } Tested;

typedef struct {
    int free_count, step_count, tested_count;
    const int *free;
    Steps *steps;
    Tested *tested;
} Drawer;

/* The drawers of one field by the value that it must equal: dictionaries of numbers of drawers. */
typedef struct { Read read; PyObject *texts, *numbers, *flags; } Table;

struct Index {
    int table_count, drawer_count;
    Drawer *drawers; /* the first is for what is always looked at */
    Table *tables;
    PyObject *categories, *globs, *known, *fitting;
};

/* How many limits lie before the value (with ``right``: or at it). */
int steps_place(const Steps *steps, double value);

#endif
