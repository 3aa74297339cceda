/* Plain lines: an event that is decided from its bytes alone, for a visitor who is a few numbers.

   A line is *plain* when it is a flat object of ASCII texts and short numbers, as nearly all are. A
   plain line is not decoded: what it fits is found by comparing bytes where they lie. If nothing
   that it fits remembers anything, its visitor need not be a record of Python either, and is kept
   *compact*. Whatever is not plain goes the road of road.c: a compact visitor becomes a record
   then, once and for good, so no memory is ever in two places. */

#ifndef OVERTURE_PLAIN_H
#define OVERTURE_PLAIN_H

#include "road.h"

/* ---------------------------------------------------------------- line.c */

/* Bytes of a line; without text when the field is not there, or is null. */
typedef struct { const char *text; Py_ssize_t length; } Span;

typedef enum { NAME, PAGE, VISIT, VISITOR, URL, TITLE, LANGUAGE, CATEGORY, EVENT_ID, TEXTS } Text;

/* A value of ``data``. One that is null is not there. */
typedef enum { IS_TEXT, IS_NUMBER, IS_FLAG, IS_NULL, IS_NESTED } Kind;
typedef struct { Span name, text; Kind kind; double number; } Value;

#define VALUES 32
typedef struct { Span texts[TEXTS]; long long time; int count; Value values[VALUES]; } Line;

/* Reads a line; false when it is not plain, be it odd or wrong: then who decodes it says so. */
bool line_read(Line *line, const char *text, Py_ssize_t length);
/* The same of data that are there already; its texts are read where they lie. */
bool line_values(Line *line, PyObject *data);
/* The field of its data, the last of that name; NULL when there is none. */
const Value *line_value(const Line *line, Span name);
bool same_span(Span one, Span other);
/* A number for a table in memory; it differs from process to process. */
uint64_t span_hash(Span span);
/* The bytes of an ASCII text, where they lie; no text of others. */
Span span_of(PyObject *text);
PyObject *text_of(Span span);

/* ---------------------------------------------------------------- spans.c: a table by texts */

typedef struct { uint64_t hash; PyObject *key; void *value; } SpanEntry;
typedef struct { Py_ssize_t used, room; SpanEntry *entries; } Spans;

/* The value of a text; NULL when it has none. */
void *spans_get(const Spans *spans, Span key, uint64_t hash);
/* Sets the value of a text, which is held. -1 with an error. */
int spans_set(Spans *spans, PyObject *key, uint64_t hash, void *value);
void spans_free(Spans *spans);

/* ---------------------------------------------------------------- fits.c */

typedef struct Fits Fits;

/* What a plain line fits, from the indexes of a road; NULL with an error. */
Fits *fits_of(const Road *road);
void fits_free(Fits *fits);
/* A rule that the line may move, and which of its positions, as bits. */
typedef struct { int rank; unsigned positions; } Moved;
typedef struct { int count, room; Moved *items, few[64]; } Moves;

/* SHORT_ROAD: the rules that the line moves are in ``moves``, each once, in order of rank, and none
   of them needs more than a compact visitor has. ``name`` is the event's, borrowed; NULL when no
   rule knows it. */
Way fits_find(Fits *fits, const Line *line, Moves *moves, PyObject **name);
void moves_free(Moves *moves);

/* ---------------------------------------------------------------- memory.c */

/* What a rule remembers of one visitor: times, of which LEAN may lack some (NEVER). */
#define TIMES_KEPT 3
#define NEVER LLONG_MIN
typedef struct { const Rule *rule; unsigned order; int count; long long times[TIMES_KEPT]; } Memo;

/* By rule, in open addresses; ``order`` numbers them as they began. */
typedef struct { int used, room; unsigned begun; Memo *memos; } Memory;

/* Can a compact visitor remember all that the rule asks for? */
bool memory_suits(const Rule *rule);
/* Moves a rule by an event that fits these positions of it. 1: complete, 0: not, -1: an error. */
int memory_move(Memory *memory, const Rule *rule, unsigned positions, long long now);
/* All of it in the dictionaries of a record. -1 with an error. */
int memory_put(const Memory *memory, PyObject *of_visitor, PyObject *of_visit);

/* ---------------------------------------------------------------- compact.c */

typedef struct { const Rule *rule; const SendPlan *send; int number; } Message;

/* A page that is open: the orders of its first event and of its PageEntered. */
typedef struct { PyObject *name; long opened, entered; } OpenPage;
typedef struct {
    Message message;
    PyObject *page;
    long order;
    long long time;
    bool waiting;
    short older; /* of those in its bucket */
} Kept;

/* A visitor with one visit, which began with the first event that was heard of them. */
typedef struct {
    PyObject *visitor, *visit;
    long long now, started;
    long events, entered;
    int page_count, kept_count, kept_room;
    OpenPage *pages;
    Kept *kept;
    short *buckets; /* the youngest of each; made when the log is long */
    Memory memory;
} Compact;

Compact *compact_new(const Line *line, PyObject *visitor);
void compact_free(Compact *compact);
/* Can the line be noted, or does it need a record? */
bool compact_admits(const Compact *compact, const Line *line, long long expiry);
/* Opens the page of the line, borrowed; NULL with an error. */
PyObject *compact_open(Compact *compact, const Line *line);
void compact_close(Compact *compact, PyObject *page);
/* A message to the page is on the log, which has room: ``sends_kept`` at most. -1 with an error. */
int compact_keep(Compact *compact, Message *message, PyObject *page);
/* The same visitor as a record; NULL with an error. */
PyObject *compact_record(const Compact *compact, PyObject *plan);

/* ---------------------------------------------------------------- answer.c */

extern PyTypeObject answer_type;

/* What came of a plain line; its tuples are made when somebody reads them. */
PyObject *answer_new(Road *road, const Compact *compact, PyObject *page, PyObject *name,
                     const Message *messages, int count);
PyObject *message_id(const Message *message, PyObject *visit);

/* ---------------------------------------------------------------- feeder.c */

extern PyTypeObject feeder_type;

#endif
