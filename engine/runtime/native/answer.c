/* An answer: what came of a plain line, with what its tuples are made of when somebody reads them.

   Most answers are counted, or looked at for one thing; the tuples of outcome.py cost more than
   all that led to them. They are made once, and are the same as on the other road. */

#include "plain.h"
#include <structmember.h>

typedef struct {
    PyObject_VAR_HEAD
    Road *road; /* the rules live as long as it */
    PyObject *visit, *page, *name, *batches, *decisions;
    long long now;
    Message messages[];
} Answer;

PyObject *
answer_new(Road *road, const Compact *compact, PyObject *page, PyObject *name,
           const Message *messages, int count)
{
    Answer *answer = PyObject_NewVar(Answer, &answer_type, count);
    if (answer == NULL)
        return NULL;
    answer->road = (Road *)Py_NewRef(road);
    answer->visit = Py_NewRef(compact->visit);
    answer->page = Py_NewRef(page);
    answer->name = Py_NewRef(name);
    answer->batches = answer->decisions = NULL;
    answer->now = compact->now;
    memcpy(answer->messages, messages, count * sizeof(Message));
    return (PyObject *)answer;
}

static void
answer_dealloc(Answer *answer)
{
    Py_DECREF(answer->road);
    Py_DECREF(answer->visit);
    Py_DECREF(answer->page);
    Py_DECREF(answer->name);
    Py_XDECREF(answer->batches);
    Py_XDECREF(answer->decisions);
    PyObject_Free(answer);
}

PyObject *
message_id(const Message *message, PyObject *visit)
{
    return rule_message_id(message->rule, visit, message->number);
}

static PyObject *
send_of(const Answer *answer, const Message *message)
{
    const Rule *rule = message->rule;
    const SendPlan *send = message->send;
    PyObject *values[] = {
        message_id(message, answer->visit),
        Py_NewRef(answer->page),
        Py_NewRef(send->channel),
        Py_NewRef(send->settled),
        Py_NewRef(rule->strategy),
        Py_NewRef(rule->group),
        Py_NewRef(send->message),
        Py_NewRef(send->answerable),
        Py_NewRef(names.nothing),
        Py_NewRef(rule->valid_for),
    };
    return tuple_of(names.send, sizeof values / sizeof *values, values);
}

static PyObject *
batches_of(const Answer *answer)
{
    PILE(sends);
    int failed = 0;
    for (Py_ssize_t n = 0; !failed && n < Py_SIZE(answer); n++)
        failed = pile_add(&sends, send_of(answer, &answer->messages[n]));
    PyObject *values[] = {PyLong_FromLongLong(answer->now), Py_NewRef(answer->visit),
                          failed ? NULL : pile_tuple(&sends)};
    PyObject *batch = tuple_of(names.batch, 3, values);
    pile_free(&sends);
    PyObject *batches = batch == NULL ? NULL : PyTuple_Pack(1, batch);
    Py_XDECREF(batch);
    return batches;
}

/* The decision of the rule whose messages begin here; ``count`` says how many they are. */
static PyObject *
decision_of(const Answer *answer, Py_ssize_t from, Py_ssize_t *count)
{
    const Rule *rule = answer->messages[from].rule;
    PILE(ids);
    int failed = 0;
    for (*count = 0; !failed && *count < rule->send_count; ++*count)
        failed = pile_add(&ids, message_id(&answer->messages[from + *count], answer->visit));
    PyObject *values[] = {
        PyLong_FromLongLong(answer->now), Py_NewRef(answer->visit), Py_NewRef(answer->page),
        Py_NewRef(answer->name),          Py_NewRef(rule->strategy), Py_NewRef(rule->place),
        Py_NewRef(Py_None),               failed ? NULL : pile_tuple(&ids),
    };
    pile_free(&ids);
    return tuple_of(names.decision, sizeof values / sizeof *values, values);
}

static PyObject *
decisions_of(const Answer *answer)
{
    PILE(decisions);
    int failed = 0;
    for (Py_ssize_t n = 0, count; !failed && n < Py_SIZE(answer); n += count)
        failed = pile_add(&decisions, decision_of(answer, n, &count));
    PyObject *made = failed ? NULL : pile_tuple(&decisions);
    pile_free(&decisions);
    return made;
}

static PyObject *
answer_batches(Answer *answer, void *closure)
{
    (void)closure;
    if (answer->batches == NULL)
        answer->batches = batches_of(answer);
    return Py_XNewRef(answer->batches);
}

static PyObject *
answer_decisions(Answer *answer, void *closure)
{
    (void)closure;
    if (answer->decisions == NULL)
        answer->decisions = decisions_of(answer);
    return Py_XNewRef(answer->decisions);
}

static PyObject *
answer_breaches(Answer *answer, void *closure)
{
    (void)answer, (void)closure;
    return Py_NewRef(names.empty);
}

static PyGetSetDef answer_fields[] = {
    {"batches", (getter)answer_batches, NULL, "All messages, as one batch.", NULL},
    {"decisions", (getter)answer_decisions, NULL, "What became of each rule.", NULL},
    {"breaches", (getter)answer_breaches, NULL, "None: guarantees are not of this road.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

/* Not for the collector: what it holds are values of JSON, and a road that holds no answers. */
PyTypeObject answer_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "engine.runtime._road.Answer",
    .tp_doc = "What came of a line.",
    .tp_basicsize = offsetof(Answer, messages),
    .tp_itemsize = sizeof(Message),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_dealloc = (destructor)answer_dealloc,
    .tp_getset = answer_fields,
};
