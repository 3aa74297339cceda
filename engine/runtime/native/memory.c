/* The memory of a compact visitor: of each rule a few times, found by its address.

   ``memory_move`` is the twin of rules.c: rule_advance, for patterns that count or go on step by
   step and keep at most three times. As there, what is too old stays until its rule is moved. */

#include "plain.h"

bool
memory_suits(const Rule *rule)
{
    switch (rule->remembers) {
    case NOTHING_KEPT:
        return true;
    case TIMES:
    case LEAN:
        return rule->per != PER_PAGE && rule->last <= TIMES_KEPT;
    default:
        return false;
    }
}

static Memo *
place_of(const Memory *memory, const Rule *rule)
{
    unsigned mask = memory->room - 1;
    unsigned place = (unsigned)((((uintptr_t)rule >> 4) * 0x9E3779B97F4A7C15ULL) >> 40) & mask;
    while (memory->memos[place].rule != NULL && memory->memos[place].rule != rule)
        place = (place + 1) & mask;
    return &memory->memos[place];
}

static Memo *
memo_of(const Memory *memory, const Rule *rule)
{
    Memo *memo = memory->room == 0 ? NULL : place_of(memory, rule);
    return memo == NULL || memo->rule == NULL ? NULL : memo;
}

static int
grow(Memory *memory)
{
    Memory more = *memory;
    more.room = memory->room ? 2 * memory->room : 8;
    more.memos = PyMem_Calloc(more.room, sizeof(Memo));
    if (more.memos == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (int n = 0; n < memory->room; n++)
        if (memory->memos[n].rule != NULL)
            *place_of(&more, memory->memos[n].rule) = memory->memos[n];
    PyMem_Free(memory->memos);
    *memory = more;
    return 0;
}

static Memo *
memo_new(Memory *memory, const Rule *rule)
{
    if (4 * memory->used >= 3 * memory->room && grow(memory))
        return NULL;
    Memo *memo = place_of(memory, rule);
    *memo = (Memo){rule, memory->begun++, 0, {NEVER, NEVER, NEVER}};
    memory->used++;
    return memo;
}

/* What stands behind a gap may have been put there because its own place was taken. */
static void
memo_forget(Memory *memory, Memo *memo)
{
    unsigned mask = memory->room - 1, gap = (unsigned)(memo - memory->memos);
    memory->memos[gap].rule = NULL;
    memory->used--;
    for (unsigned next = (gap + 1) & mask; memory->memos[next].rule != NULL;
         next = (next + 1) & mask) {
        Memo moved = memory->memos[next];
        memory->memos[next].rule = NULL;
        *place_of(memory, moved.rule) = moved;
    }
}

/* ---------------------------------------------------------------- moving */

/* rules.c: count */
static int
count(Memory *memory, const Rule *rule, long long now)
{
    Memo *memo = memo_of(memory, rule);
    if (memo == NULL && (memo = memo_new(memory, rule)) == NULL)
        return -1;
    int gone = 0;
    while (rule->bounded && gone < memo->count && memo->times[gone] <= now - rule->within)
        gone++;
    memo->count -= gone;
    memmove(memo->times, memo->times + gone, memo->count * sizeof(long long));
    if (memo->count == rule->last) {
        memo_forget(memory, memo);
        return 1;
    }
    memo->times[memo->count++] = now;
    return 0;
}

/* rules.c: follow */
static int
follow(Memory *memory, const Rule *rule, unsigned positions, long long now)
{
    Memo *memo = memo_of(memory, rule);
    for (int k = rule->last; k >= 0; k--) {
        if ((positions >> k & 1) == 0)
            continue;
        long long first = now;
        if (k > 0) {
            first = memo == NULL ? NEVER : memo->times[k - 1];
            if (first == NEVER || (rule->bounded && now - first >= rule->within))
                continue;
        }
        if (k == rule->last) {
            if (memo != NULL)
                memo_forget(memory, memo);
            return 1;
        }
        if (memo == NULL && (memo = memo_new(memory, rule)) == NULL)
            return -1;
        memo->count = rule->last;
        memo->times[k] = first;
    }
    return 0;
}

int
memory_move(Memory *memory, const Rule *rule, unsigned positions, long long now)
{
    switch (rule->remembers) {
    case NOTHING_KEPT:
        return 1;
    case TIMES:
        return count(memory, rule, now);
    default:
        return follow(memory, rule, positions, now);
    }
}

/* ---------------------------------------------------------------- as a record */

static PyObject *
list_of(const Memo *memo)
{
    PyObject *list = PyList_New(memo->count);
    for (int n = 0; list != NULL && n < memo->count; n++) {
        long long time = memo->times[n];
        PyObject *value = time == NEVER ? Py_NewRef(Py_None) : PyLong_FromLongLong(time);
        PyList_SET_ITEM(list, n, value);
        if (value == NULL)
            Py_CLEAR(list);
    }
    return list;
}

static int
by_order(const void *one, const void *other)
{
    unsigned first = (*(const Memo *const *)one)->order, then = (*(const Memo *const *)other)->order;
    return first < then ? -1 : first > then;
}

int
memory_put(const Memory *memory, PyObject *of_visitor, PyObject *of_visit)
{
    const Memo **ordered = PyMem_New(const Memo *, memory->used + 1);
    int count = 0, failed = ordered == NULL;
    for (int n = 0; !failed && n < memory->room; n++)
        if (memory->memos[n].rule != NULL)
            ordered[count++] = &memory->memos[n];
    if (!failed)
        qsort(ordered, count, sizeof *ordered, by_order);
    for (int n = 0; !failed && n < count; n++) {
        const Rule *rule = ordered[n]->rule;
        PyObject *list = list_of(ordered[n]);
        PyObject *memory_of_it = rule->per == PER_VISITOR ? of_visitor : of_visit;
        failed = list == NULL || PyDict_SetItem(memory_of_it, rule->key, list);
        Py_XDECREF(list);
    }
    PyMem_Free(ordered);
    return failed ? -1 : 0;
}
