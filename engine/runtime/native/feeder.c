/* A feeder: walks the road of a plan for a stream of lines, and keeps the visitors of it.

   A visitor is compact or a record, and never both: ``visitors`` holds the records, and ``known``
   everybody with a name in ASCII, with what they are. */

#include "plain.h"

typedef struct {
    PyObject_HEAD
    Road *road;
    PyObject *plan, *visitors, *decode;
    Fits *fits; /* made with the first plain line */
    Spans known;
    unsigned vain; /* lines that were read as plain ones for nothing, one after the other */
} Feeder;

/* What stands for a visitor who is a record. */
static Compact RECORD;

static PyObject *
feeder_new(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    PyObject *road, *plan, *visitors, *decode;
    static char *words[] = {"road", "plan", "visitors", "decode", NULL};
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "O!OO!O", words, &road_type, &road, &plan,
                                     &PyDict_Type, &visitors, &decode))
        return NULL;
    Feeder *feeder = (Feeder *)type->tp_alloc(type, 0);
    if (feeder != NULL) {
        feeder->road = (Road *)Py_NewRef(road);
        feeder->plan = Py_NewRef(plan);
        feeder->visitors = Py_NewRef(visitors);
        feeder->decode = Py_NewRef(decode);
    }
    return (PyObject *)feeder;
}

static int
feeder_traverse(Feeder *feeder, visitproc visit, void *arg)
{
    Py_VISIT(feeder->road);
    Py_VISIT(feeder->plan);
    Py_VISIT(feeder->visitors);
    Py_VISIT(feeder->decode);
    return 0;
}

static int
feeder_clear(Feeder *feeder)
{
    Py_CLEAR(feeder->plan);
    Py_CLEAR(feeder->visitors);
    Py_CLEAR(feeder->decode);
    return 0;
}

static void
feeder_dealloc(Feeder *feeder)
{
    PyObject_GC_UnTrack(feeder);
    feeder_clear(feeder);
    for (Py_ssize_t n = 0; n < feeder->known.room; n++)
        if (feeder->known.entries[n].value != &RECORD)
            compact_free(feeder->known.entries[n].value);
    spans_free(&feeder->known);
    fits_free(feeder->fits);
    Py_CLEAR(feeder->road); /* after all that points to its rules */
    Py_TYPE(feeder)->tp_free((PyObject *)feeder);
}

/* ---------------------------------------------------------------- visitors */

static Compact *
compact_of(const Feeder *feeder, PyObject *name)
{
    Span span = span_of(name);
    return span.text == NULL ? NULL : spans_get(&feeder->known, span, span_hash(span));
}

/* From here on the visitor is this record. */
static int
remember(Feeder *feeder, PyObject *name, PyObject *visitor)
{
    Span span = span_of(name);
    if (PyDict_SetItem(feeder->visitors, name, visitor))
        return -1;
    return span.text == NULL ? 0 : spans_set(&feeder->known, name, span_hash(span), &RECORD);
}

/* The record of a name, borrowed from the visitors; NULL when they are not known, or an error. */
static PyObject *
record_of(Feeder *feeder, PyObject *name)
{
    PyObject *visitor = PyDict_GetItemWithError(feeder->visitors, name);
    Compact *compact = visitor != NULL ? NULL : compact_of(feeder, name);
    if (compact == NULL || compact == &RECORD)
        return visitor;
    visitor = compact_record(compact, feeder->plan);
    if (visitor == NULL || remember(feeder, name, visitor)) {
        Py_XDECREF(visitor);
        return NULL;
    }
    compact_free(compact);
    Py_DECREF(visitor); /* the visitors keep it */
    return visitor;
}

/* The same; a new one when they are not known. */
static PyObject *
visitor_of(Feeder *feeder, PyObject *name)
{
    PyObject *visitor = record_of(feeder, name);
    if (visitor != NULL || PyErr_Occurred())
        return visitor;
    visitor = PyObject_CallMethodOneArg((PyObject *)names.visitor.type, names.new, name);
    int failed = visitor == NULL || remember(feeder, name, visitor);
    Py_XDECREF(visitor); /* the visitors keep it */
    return failed ? NULL : visitor;
}

static PyObject *
feeder_visitor(Feeder *feeder, PyObject *name)
{
    PyObject *visitor = record_of(feeder, name);
    if (visitor == NULL && PyErr_Occurred())
        return NULL;
    return Py_NewRef(visitor == NULL ? Py_None : visitor);
}

/* ---------------------------------------------------------------- events */

static PyObject *
take_by_record(Feeder *feeder, PyObject *event)
{
    PyObject *visitor = visitor_of(feeder, AT(event, names.event.visitor));
    return visitor == NULL ? NULL : walk_either(feeder->road, feeder->plan, visitor, event);
}

/* line.settled: the line as an event, with its visitor and data. */
static void
settle(PyObject *line)
{
    PyObject *visitor = AT(line, names.event.visitor);
    if (visitor == Py_None || PyUnicode_GET_LENGTH(visitor) == 0)
        put(line, names.event.visitor, AT(line, names.event.visit));
    if (AT(line, names.event.data) == Py_None)
        put(line, names.event.data, names.nothing);
}

static PyObject *
feed_decoded(Feeder *feeder, PyObject *text)
{
    PyObject *line = PyObject_CallOneArg(feeder->decode, text);
    if (line == NULL)
        return NULL;
    PyObject *outcome = NULL;
    if (PyObject_TypeCheck(line, names.event.type)) {
        settle(line);
        outcome = take_by_record(feeder, line);
    }
    else
        PyErr_SetString(PyExc_TypeError, "a line is decoded into an event");
    Py_DECREF(line);
    return outcome;
}

/* ---------------------------------------------------------------- plain lines */

/* An event that is there already, as a plain line; false when it is none. */
static bool
line_of_event(Line *line, PyObject *event)
{
    const struct { Text text; Slot slot; } texts[] = {
        {NAME, names.event.name},   {PAGE, names.event.page},
        {VISIT, names.event.visit}, {VISITOR, names.event.visitor},
        {URL, names.event.url},     {TITLE, names.event.title},
        {LANGUAGE, names.event.language}, {CATEGORY, names.event.category},
        {EVENT_ID, names.event.id},
    };
    for (size_t n = 0; n < sizeof texts / sizeof *texts; n++) {
        PyObject *text = AT(event, texts[n].slot);
        Span span = text == Py_None ? (Span){NULL, 0} : span_of(text);
        if (text != Py_None && span.text == NULL)
            return false;
        line->texts[texts[n].text] = span;
    }
    bool alone = AT(event, names.event.agents) == names.nothing
                 && AT(event, names.event.pacing) == names.nothing
                 && AT(event, names.event.draw) == Py_None;
    return alone && line->texts[NAME].text != NULL && line->texts[VISIT].text != NULL
           && line->texts[VISITOR].text != NULL && whole(AT(event, names.event.time), &line->time)
           && line->time >= 0 && line_values(line, AT(event, names.event.data));
}

/* The compact visitor of a line: a new one when nobody has that name. NULL with an error. */
static Compact *
compact_or_new(Feeder *feeder, const Line *line, Compact *known, uint64_t hash)
{
    if (known != NULL)
        return known;
    PyObject *name = text_of(line->texts[VISITOR]);
    Compact *compact = name == NULL ? NULL : compact_new(line, name);
    if (compact != NULL && spans_set(&feeder->known, name, hash, compact)) {
        compact_free(compact);
        compact = NULL;
    }
    Py_XDECREF(name);
    return compact;
}

/* Moves the rules; the complete ones are the first of ``moves`` then. */
static int
move_all(const Road *road, Compact *compact, Moves *moves)
{
    int complete = 0;
    for (int n = 0; n < moves->count; n++) {
        const Moved *move = &moves->items[n];
        int moved = memory_move(&compact->memory, &road->rules[move->rank], move->positions,
                                compact->now);
        if (moved < 0)
            return -1;
        if (moved)
            moves->items[complete++] = *move;
    }
    moves->count = complete;
    return 0;
}

static int
messages_count(const Road *road, const Moves *moves)
{
    int count = 0;
    for (int n = 0; n < moves->count; n++)
        count += road->rules[moves->items[n].rank].send_count;
    return count;
}

/* All messages of the rules that are complete, on the log and in the pile. */
static int
offer_all(const Road *road, Compact *compact, PyObject *page, const Moves *moves,
          Message *messages)
{
    int count = 0;
    for (int n = 0; n < moves->count; n++) {
        const Rule *rule = &road->rules[moves->items[n].rank];
        for (int m = 0; m < rule->send_count; m++) {
            messages[count] = (Message){rule, &rule->sends[m], 0};
            if (compact_keep(compact, &messages[count++], page))
                return -1;
        }
    }
    return 0;
}

/* What comes of the rules on a page; None when it is nothing. */
static PyObject *
answer_with(Feeder *feeder, Compact *compact, const Line *line, PyObject *page, Moves *moves,
            PyObject *name)
{
    if (move_all(feeder->road, compact, moves))
        return NULL;
    int count = messages_count(feeder->road, moves);
    if (count == 0)
        Py_RETURN_NONE;
    Message few[8], *messages = count <= 8 ? few : PyMem_New(Message, count);
    if (messages == NULL)
        return PyErr_NoMemory();
    PyObject *own = name != NULL ? Py_NewRef(name) : text_of(line->texts[NAME]), *answer = NULL;
    if (own != NULL && !offer_all(feeder->road, compact, page, moves, messages))
        answer = answer_new(feeder->road, compact, page, own, messages, count);
    Py_XDECREF(own);
    if (messages != few)
        PyMem_Free(messages);
    return answer;
}

static bool
leaves_page(const Line *line)
{
    return line->texts[PAGE].text != NULL
           && same_span(line->texts[NAME], span_of(names.page_exited));
}

/* Notes a line that moves these rules. LONG_ROAD: nothing has changed. */
static Way
note(Feeder *feeder, Compact *known, uint64_t hash, const Line *line, Moves *moves, PyObject *name,
     PyObject **answer)
{
    int most = messages_count(feeder->road, moves), kept = known == NULL ? 0 : known->kept_count;
    /* A log that gets too long is cut, and a page that is left gets no message: both by a record. */
    if (kept + most > names.sends_kept || (moves->count && leaves_page(line)))
        return LONG_ROAD;
    Compact *compact = compact_or_new(feeder, line, known, hash);
    PyObject *page = compact == NULL ? NULL : compact_open(compact, line);
    if (page == NULL)
        return FAILED;
    *answer = answer_with(feeder, compact, line, page, moves, name);
    if (*answer != NULL && leaves_page(line))
        compact_close(compact, page);
    return *answer == NULL ? FAILED : SHORT_ROAD;
}

/* SHORT_ROAD: the line is decided. LONG_ROAD: nothing has changed. */
static Way
take_plain(Feeder *feeder, const Line *line, PyObject **answer)
{
    uint64_t hash = span_hash(line->texts[VISITOR]);
    Compact *known = spans_get(&feeder->known, line->texts[VISITOR], hash);
    if (known == &RECORD
        || (known != NULL && !compact_admits(known, line, feeder->road->expiry)))
        return LONG_ROAD;
    if (feeder->fits == NULL && (feeder->fits = fits_of(feeder->road)) == NULL)
        return FAILED;
    Moves moves = {.room = 64, .items = moves.few};
    PyObject *name = NULL;
    Way way = fits_find(feeder->fits, line, &moves, &name);
    if (way == SHORT_ROAD)
        way = note(feeder, known, hash, line, &moves, name, answer);
    moves_free(&moves);
    return way;
}

/* Where nearly everybody is a record, hardly any line is read for nothing: after so many that went
   the other road, only one in so many is tried. The answers are the same. */
#define PATIENCE 64

static bool
is_worth_trying(const Feeder *feeder)
{
    return feeder->vain < PATIENCE || feeder->vain % PATIENCE == 0;
}

static PyObject *
feeder_feed(Feeder *feeder, PyObject *text)
{
    PyObject *answer = NULL;
    Line line;
    bool plain = is_worth_trying(feeder) && PyBytes_CheckExact(text)
                 && line_read(&line, PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text));
    Way way = plain ? take_plain(feeder, &line, &answer) : LONG_ROAD;
    feeder->vain = way == LONG_ROAD ? feeder->vain + 1 : 0;
    if (way == FAILED)
        return NULL;
    return way == SHORT_ROAD ? answer : feed_decoded(feeder, text);
}

static PyObject *
feeder_take(Feeder *feeder, PyObject *event)
{
    if (!PyObject_TypeCheck(event, names.event.type)) {
        PyErr_SetString(PyExc_TypeError, "a stream takes events");
        return NULL;
    }
    PyObject *answer = NULL;
    Line line;
    bool plain = is_worth_trying(feeder) && line_of_event(&line, event);
    Way way = plain ? take_plain(feeder, &line, &answer) : LONG_ROAD;
    feeder->vain = way == LONG_ROAD ? feeder->vain + 1 : 0;
    if (way == FAILED)
        return NULL;
    return way == SHORT_ROAD ? answer : take_by_record(feeder, event);
}

static PyMethodDef feeder_methods[] = {
    {"feed", (PyCFunction)feeder_feed, METH_O,
     "feed(line): what came of a line of JSON; None when nothing did."},
    {"take", (PyCFunction)feeder_take, METH_O,
     "take(event): what came of an event; None when nothing did."},
    {"visitor", (PyCFunction)feeder_visitor, METH_O,
     "visitor(id): what is remembered of a visitor; None when nothing is."},
    {NULL, NULL, 0, NULL},
};

PyTypeObject feeder_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "engine.runtime._road.Feeder",
    .tp_doc = "Feeder(road, plan, visitors, decode): walks a road for a stream.",
    .tp_basicsize = sizeof(Feeder),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_new = feeder_new,
    .tp_traverse = (traverseproc)feeder_traverse,
    .tp_clear = (inquiry)feeder_clear,
    .tp_dealloc = (destructor)feeder_dealloc,
    .tp_methods = feeder_methods,
};
