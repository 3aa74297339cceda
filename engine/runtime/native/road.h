/* The short road, natively: what its files share. README.md says what it is and what it is not. */

#ifndef OVERTURE_ROAD_H
#define OVERTURE_ROAD_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdbool.h>

/* ---------------------------------------------------------------- records.c: values of Python */

typedef Py_ssize_t Slot;

/* A slot of a record is read where it lies, at the place that its class says. */
#define AT(record, slot) (*(PyObject **)((char *)(record) + (slot)))

typedef struct {
    struct { PyTypeObject *type; Slot name, time, visitor, visit, page, id, url, title, language,
             category, data, agents, pacing, draw; } event;
    struct { PyTypeObject *type; Slot id, now, events, version, facts, visits, sends, memory, timers,
             quiet, heard_of, heard, ledger; } visitor;
    struct { PyTypeObject *type; Slot last, opened, entered, facts, pages, memory, sent; } visit;
    struct { PyTypeObject *type; Slot opened, entered, memory; } page;
    struct { PyTypeObject *type; Slot plan, event, now, visitor, visit, before, names, categories; }
        scene;
    PyTypeObject *send, *sent, *decision, *batch, *outcome;
    PyObject *nothing, *no_names, *nothing_replaced;
    /* The same step in Python, for all that is not on the short road. */
    PyObject *advance, *adopt, *fit, *decide;
    PyObject *page_entered, *page_exited, *zero, *empty, *when, *unless;
    PyObject *new, *open, *close_page, *categories, *move, *visit_word, *page_word, *value;
    PyObject *before_all;
    Py_ssize_t pages_open, sends_kept, events_kept;
    uint64_t secret;
} Names;

extern Names names;

int names_bind(void);
/* Are two texts equal? Anything but texts is not. */
bool same_text(PyObject *one, PyObject *other);
/* Sets a slot, keeping the new value and letting the old one go. */
void put(PyObject *record, Slot slot, PyObject *value);
/* A named tuple of so many values; it steals each of them. NULL when one of them is NULL. */
PyObject *tuple_of(PyTypeObject *type, Py_ssize_t count, PyObject **values);
/* Values that belong to whoever piles them up; a few need no allocation. */
typedef struct { Py_ssize_t count, room; PyObject **items, *few[8]; } Pile;
#define PILE(name) Pile name = {.room = 8, .items = name.few}

/* Steals the value, which may be NULL: an error that is already there. */
int pile_add(Pile *pile, PyObject *value);
/* All of them in a tuple; then the pile is empty. */
PyObject *pile_tuple(Pile *pile);
void pile_free(Pile *pile);

/* The place of a text among choices, of which the last is NULL; -1 when it is none of them. */
int choice(PyObject *text, const char *const *choices);
/* A time in ms; false when it is no whole number of 62 bits (no error is set). */
bool whole(PyObject *number, long long *value);

/* ---------------------------------------------------------------- memory of a road */

/* What a road allocates lives as long as it; the Python values that it holds stand in one list. */
typedef struct Block { struct Block *next; } Block;
typedef struct { Block *blocks; PyObject *held; } Arena;

void *arena_new(Arena *arena, size_t count, size_t size);
/* Keep a value as long as the arena; gives it back, borrowed. Steals ``value``; NULL stays NULL. */
PyObject *arena_hold(Arena *arena, PyObject *value);

/* Gives all of its memory back; ``held`` stays. */
void arena_free(Arena *arena);

/* An attribute, kept as long as the arena and borrowed from it; NULL with an error. */
PyObject *held(Arena *arena, PyObject *object, const char *name);

/* ---------------------------------------------------------------- the moment at hand */

typedef struct {
    PyObject *plan, *conditions, *visitor, *event, *visit, *page;
    const struct Categories *categories;
    PyObject *now;
    long long time;
    long index; /* the number of the index that knows the event's name */
    PyObject *scene; /* made when somebody asks */
    PyObject *in_categories; /* of the event, where they are known; held */
} Moment;

/* The scene of the moment, borrowed; NULL with an error. */
PyObject *moment_scene(Moment *moment);
/* Notes what categories the event is in, also for its scene. */
void moment_is_in(Moment *moment, PyObject *categories);

/* Numbers that were found; a few need no allocation. */
typedef struct { int count, room; int *items; int few[64]; } Found;

int found_add(Found *found, const int *numbers, int count);
/* In order of number, whatever the order in which they were found; each once. */
void found_once(Found *found);
void found_free(Found *found);

/* ---------------------------------------------------------------- places.c */

/* One more in a slot that counts. -1 with an error. */
int one_more(PyObject *record, Slot slot);
/* Opens what the event is of; ``visit`` and ``page`` of the moment are borrowed from the visitor. */
int places_open(Moment *moment);
/* Forgets the page of the event, which is open. -1 with an error. */
int page_close(Moment *moment);

/* ---------------------------------------------------------------- index.c */

typedef struct Index Index;

/* The categories of a book: by address as Python has learnt them, and the others by an index. */
typedef struct Categories { PyObject *known, *names; Index *others; } Categories;

int categories_read(Arena *arena, Categories *own, PyObject *categories);
Index *index_of(Arena *arena, PyObject *index);
/* Adds the numbers of all conditions that hold. -1 with an error. */
int index_find(const Index *index, Moment *moment, Found *found);

/* ---------------------------------------------------------------- rules.c */

typedef struct { PyObject *message, *channel, *answerable, *data, *settled; } SendPlan;

typedef struct { bool of_visitor; PyObject *fact, *admits, *value; } SetPlan;

typedef enum { NOTHING_KEPT, TIMES, LEAN, CHAINS } Remembers;
typedef enum { PER_VISITOR, PER_VISIT, PER_PAGE } Per;

/* One position of a chain: events to come, or a silence of so many ms. */
typedef struct {
    int watch_count;
    const int *watches;
    bool silence, same_page, all_of;
    long long absent;
    PyObject *keep, *part_key, *number;
} Position;

typedef struct {
    Remembers remembers;
    Per per;
    bool bounded, plain;
    int last;
    long long within;
    const Position *positions; /* of chains; NULL for those that Python moves */
    PyObject *key, *automaton, *reached_by, *rule, *when, *unless, *attach;
    PyObject *strategy, *middle, *group, *valid_for, *place;
    int send_count, set_count;
    SendPlan *sends;
    SetPlan *sets;
} Rule;

/* A watch moves these positions of this rule, the last first. */
typedef struct { int rank, count; const int *positions; } Link;

/* Where what the event moves is remembered: the memory of its visitor, visit or page. */
PyObject *memory_of(Per per, const Moment *moment);
int rule_read(Arena *arena, Rule *rule, PyObject *planned, bool plain);
/* Moves what the rule remembers by the event. 1: complete, 0: not, -1: an error. */
int rule_advance(const Rule *rule, Moment *moment, const int *positions, int count);

/* What one moment of plain rules gives; ``acting`` are those that nothing was in the way of. */
typedef struct { Pile decisions, sends, log; int acting_count; const Rule **acting; } Given;

/* The id of a message of the rule: visit/strategy/n */
PyObject *rule_message_id(const Rule *rule, PyObject *visit, Py_ssize_t number);

/* Guards a plain rule that is complete, and makes its messages. -1 with an error. */
int rule_decide(const Rule *rule, Moment *moment, Given *given);
/* Sets what the acting rules set, the first of them last. -1 with an error. */
int rules_set(Moment *moment, const Given *given);

/* ---------------------------------------------------------------- chains.c */

/* Lays the positions of a chain out, unless Python is to move it. */
int chain_read(Arena *arena, Rule *rule, PyObject *positions);
/* Moves chains by an event that fits some watches. 1: complete, 0: not, -1: an error. */
int chain_advance(const Rule *rule, Moment *moment, const Found *found);

/* ---------------------------------------------------------------- registers.c */

typedef enum { KEEPS_COUNT, KEEPS_LAST, KEEPS_TIMES, KEEPS_LATEST, KEEPS_VALUES, KEEPS_SUM,
               KEEPS_MIN, KEEPS_MAX, KEPT_BY_PYTHON } Keeps;
typedef enum { KIND_ANY, KIND_TEXT, KIND_BOOLEAN, KIND_NUMBER } Declared;

typedef struct {
    Keeps keeps;
    Per place;
    Declared kind;
    long long horizon;
    PyObject *key, *field, *recorder;
} Register;

int register_read(Arena *arena, Register *own, PyObject *from, PyObject *recorder);
/* Takes in an event that fits its watch. -1 with an error. */
int register_take(const Register *own, Moment *moment);

/* ---------------------------------------------------------------- copies.c */

/* The visitor once more, as a function of the module. */
PyObject *visitor_copy(PyObject *module, PyObject *visitor);

/* ---------------------------------------------------------------- events.c */

/* The event of a stored body; ``about`` are its visitor, visit and time. NULL with an error. */
PyObject *event_in(PyObject *stored, PyObject *const *about);
/* The same, as a function of the module. */
PyObject *event_of(PyObject *module, PyObject *const *args, Py_ssize_t count);

/* ---------------------------------------------------------------- road.c */

/* What waits for one watch. A guarded one is watched by guarantees, and moved by Python. */
typedef struct {
    int count, register_count;
    Link *links;
    Register *registers;
    bool guarded, cancels;
} Watch;

typedef struct {
    PyObject_HEAD
    Arena arena;
    PyObject *version, *conditions;
    PyObject *ranks; /* of the rules, by the key of their memory */
    PyObject *named; /* the number of the index of an event's name; SPECIAL for a special one */
    long long expiry; /* of a visit, in ms */
    int watch_count, rule_count, index_count;
    Index **indexes; /* the first is that of all other names */
    Categories categories;
    Rule *rules;
    Link *unmoved; /* a link for each rule, without positions */
    Watch *watches;
} Road;

extern PyTypeObject road_type;

/* The number of what is never on the short road. */
#define SPECIAL (-1)

typedef enum { FAILED = -1, LONG_ROAD, SHORT_ROAD } Way;

/* SHORT_ROAD: the outcome is there, or None when nothing came of it. LONG_ROAD: nothing changed. */
Way walk(const Road *road, PyObject *plan, PyObject *visitor, PyObject *event,
         PyObject **outcome);
/* The same by either road: the outcome, or None when nothing came of it. NULL with an error. */
PyObject *walk_either(const Road *road, PyObject *plan, PyObject *visitor, PyObject *event);

/* ---------------------------------------------------------------- runs.c */

/* follow(plan, visitor, bodies, visit, time), as a method of a road. */
PyObject *road_follow(Road *road, PyObject *const *args, Py_ssize_t count);

#endif
