/* What a plain line fits: the indexes of a road, asked with bytes instead of values of Python.

   A twin of index.c for what needs no scene: fields that equal a text, globs over the address, and
   sizes. A drawer that asks for more says so before anything has changed, and the line goes the
   other road. The tables are made when the first stream of a plan begins. */

#include "index.h"
#include "plain.h"

/* Where a field is found: one of the texts of the line, or in its data under a name. */
typedef struct { bool known; Text text; Span name; } Place;

typedef struct { Place place; Spans texts; bool others; } Equal;

/* Drawers of one address; there are few for each, and as many addresses as a site has. */
typedef struct { int count; int drawers[]; } Fitting;

typedef struct {
    const Index *index;
    Equal *equals;
    Place **places; /* of each drawer, those of its sizes */
    Spans addresses;
    PyObject *name; /* of the events, borrowed; NULL for all others */
} Named;

struct Fits {
    const Road *road;
    Spans named;
    Named *indexes;
    bool *simple; /* of each watch: do its rules need nothing but a compact visitor? */
    Arena arena;
    Found found;
};

#define ADDRESSES 8192 /* as many as are remembered in Python: globs.REMEMBERED */

/* ---------------------------------------------------------------- laying out */

static bool
place_read(Place *place, const Read *read)
{
    static const struct { Slot *slot; Text text; } SLOTS[] = {
        {&names.event.name, NAME}, {&names.event.page, PAGE}, {&names.event.visit, VISIT},
        {&names.event.visitor, VISITOR}, {&names.event.url, URL}, {&names.event.title, TITLE},
        {&names.event.language, LANGUAGE}, {&names.event.category, CATEGORY},
    };
    place->name = (Span){NULL, 0};
    if (read->what == READ_DATA) {
        place->name = span_of(read->name);
        return place->known = place->name.text != NULL;
    }
    for (size_t n = 0; read->what == READ_SLOT && n < sizeof SLOTS / sizeof *SLOTS; n++)
        if (*SLOTS[n].slot == read->slot) {
            place->text = SLOTS[n].text;
            return place->known = true;
        }
    return place->known = false;
}

/* The tables of one field: from the text to its drawer. Texts that no plain line has are left. */
static int
equal_read(Equal *equal, const Index *index, const Table *table)
{
    PyObject *key, *number;
    Py_ssize_t place = 0;
    place_read(&equal->place, &table->read);
    equal->others = PyDict_GET_SIZE(table->numbers) || PyDict_GET_SIZE(table->flags);
    while (PyDict_Next(table->texts, &place, &key, &number)) {
        Span span = span_of(key);
        Drawer *drawer = &index->drawers[PyLong_AsLong(number)];
        if (span.text != NULL && spans_set(&equal->texts, key, span_hash(span), drawer))
            return -1;
    }
    return 0;
}

static int
drawers_read(Fits *fits, Named *own, const Index *index)
{
    own->places = arena_new(&fits->arena, index->drawer_count, sizeof(Place *));
    for (int n = 0; own->places != NULL && n < index->drawer_count; n++) {
        const Drawer *drawer = &index->drawers[n];
        own->places[n] = arena_new(&fits->arena, drawer->step_count, sizeof(Place));
        for (int m = 0; own->places[n] != NULL && m < drawer->step_count; m++)
            place_read(&own->places[n][m], &drawer->steps[m].read);
    }
    return PyErr_Occurred() ? -1 : 0;
}

static int
index_lay(Fits *fits, Named *own, const Index *index, PyObject *name)
{
    own->index = index;
    own->name = name;
    own->equals = arena_new(&fits->arena, index->table_count, sizeof(Equal));
    for (int n = 0; own->equals != NULL && n < index->table_count; n++)
        if (equal_read(&own->equals[n], index, &index->tables[n]))
            return -1;
    return own->equals == NULL ? -1 : drawers_read(fits, own, index);
}

static bool
is_simple(const Rule *rule)
{
    bool simple = rule->plain && rule->set_count == 0 && memory_suits(rule) && rule->when == NULL
                  && rule->unless == NULL && rule->attach == NULL;
    for (int n = 0; simple && n < rule->send_count; n++)
        simple = rule->sends[n].settled != NULL;
    return simple;
}

static bool
watch_is_simple(const Road *road, const Watch *watch)
{
    bool simple = !watch->guarded && watch->register_count == 0;
    for (int n = 0; simple && n < watch->count; n++)
        simple = is_simple(&road->rules[watch->links[n].rank]);
    return simple;
}

static int
lay_out(Fits *fits)
{
    const Road *road = fits->road;
    PyObject *name, *number;
    Py_ssize_t place = 0;
    fits->indexes = arena_new(&fits->arena, road->index_count, sizeof(Named));
    fits->simple = arena_new(&fits->arena, road->watch_count, sizeof(bool));
    if (fits->indexes == NULL || fits->simple == NULL
        || index_lay(fits, &fits->indexes[0], road->indexes[0], NULL))
        return -1;
    for (int n = 0; n < road->watch_count; n++)
        fits->simple[n] = watch_is_simple(road, &road->watches[n]);
    while (PyDict_Next(road->named, &place, &name, &number)) {
        long which = PyLong_AsLong(number);
        Span span = span_of(name);
        Named *own = which == SPECIAL ? fits->indexes : &fits->indexes[which];
        if (which != SPECIAL && index_lay(fits, own, road->indexes[which], name))
            return -1;
        /* What is special stands there as the index of all others, under a name that is known. */
        if (span.text != NULL && spans_set(&fits->named, name, span_hash(span), own))
            return -1;
    }
    return PyErr_Occurred() ? -1 : 0;
}

Fits *
fits_of(const Road *road)
{
    Fits *fits = PyMem_Calloc(1, sizeof(Fits));
    if (fits == NULL)
        return (Fits *)PyErr_NoMemory();
    fits->road = road;
    fits->found = (Found){.room = 64, .items = fits->found.few};
    if (lay_out(fits) == 0)
        return fits;
    fits_free(fits);
    return NULL;
}

void
fits_free(Fits *fits)
{
    if (fits == NULL)
        return;
    for (int n = 0; fits->indexes != NULL && n < fits->road->index_count; n++) {
        Named *own = &fits->indexes[n];
        for (int m = 0; own->equals != NULL && m < own->index->table_count; m++)
            spans_free(&own->equals[m].texts);
        for (Py_ssize_t m = 0; m < own->addresses.room; m++)
            PyMem_Free(own->addresses.entries[m].value);
        spans_free(&own->addresses);
    }
    spans_free(&fits->named);
    arena_free(&fits->arena);
    found_free(&fits->found);
    PyMem_Free(fits);
}

/* ---------------------------------------------------------------- finding */

/* SHORT_ROAD when the numbers were added. */
static Way
steps_find(const Steps *steps, const Place *place, const Line *line, Found *found)
{
    if (steps->tested || !place->known)
        return LONG_ROAD;
    if (place->name.text == NULL) /* a text of the envelope has no size */
        return SHORT_ROAD;
    const Value *value = line_value(line, place->name);
    if (value == NULL || value->kind != IS_NUMBER)
        return SHORT_ROAD;
    int from = 0, until = steps->count, at = steps_place(steps, value->number);
    if (steps->upward)
        until = at;
    else
        from = at;
    return found_add(found, steps->numbers + from, until - from) ? FAILED : SHORT_ROAD;
}

static Way
drawer_find(const Named *own, const Drawer *drawer, const Line *line, Found *found)
{
    if (drawer->tested_count)
        return LONG_ROAD;
    if (drawer->free_count && found_add(found, drawer->free, drawer->free_count))
        return FAILED;
    const Place *places = own->places[drawer - own->index->drawers];
    Way way = SHORT_ROAD;
    for (int n = 0; way == SHORT_ROAD && n < drawer->step_count; n++)
        way = steps_find(&drawer->steps[n], &places[n], line, found);
    return way;
}

static Way
equal_find(const Named *own, const Equal *equal, const Line *line, Found *found)
{
    if (!equal->place.known)
        return LONG_ROAD;
    Span text = {NULL, 0};
    if (equal->place.name.text == NULL)
        text = line->texts[equal->place.text];
    else {
        const Value *value = line_value(line, equal->place.name);
        if (value != NULL && value->kind == IS_TEXT)
            text = value->text;
        else if (value != NULL && value->kind != IS_NULL && value->kind != IS_NESTED)
            return equal->others ? LONG_ROAD : SHORT_ROAD;
    }
    const Drawer *drawer = text.text == NULL
                               ? NULL
                               : spans_get(&equal->texts, text, span_hash(text));
    return drawer == NULL ? SHORT_ROAD : drawer_find(own, drawer, line, found);
}

static Fitting *
fitting_of(const Index *index, PyObject *url)
{
    PyObject *set = PyObject_CallOneArg(index->fitting, url);
    PyObject *each = set == NULL ? NULL : PyObject_GetIter(set), *glob;
    Fitting *made = NULL;
    if (each != NULL) {
        made = PyMem_Calloc(1, sizeof(Fitting) + PySet_Size(set) * sizeof(int));
        if (made == NULL)
            PyErr_NoMemory();
    }
    while (made != NULL && (glob = PyIter_Next(each)) != NULL) {
        PyObject *drawer = PyDict_GetItemWithError(index->globs, glob);
        if (drawer != NULL)
            made->drawers[made->count++] = (int)PyLong_AsLong(drawer);
        Py_DECREF(glob);
    }
    Py_XDECREF(each);
    Py_XDECREF(set);
    return made;
}

/* The drawers of an address that is new, which are remembered unless there are too many; NULL with
   an error. */
static Fitting *
learn(Named *own, Span url, uint64_t hash)
{
    PyObject *text = text_of(url);
    Fitting *fitting = text == NULL ? NULL : fitting_of(own->index, text);
    if (own->addresses.used >= ADDRESSES) {
        for (Py_ssize_t n = 0; n < own->addresses.room; n++)
            PyMem_Free(own->addresses.entries[n].value);
        spans_free(&own->addresses);
    }
    if (fitting != NULL && (PyErr_Occurred() || spans_set(&own->addresses, text, hash, fitting))) {
        PyMem_Free(fitting);
        fitting = NULL;
    }
    Py_XDECREF(text);
    return fitting;
}

static Way
globs_find(Named *own, const Line *line, Found *found)
{
    Span url = line->texts[URL];
    if (url.text == NULL)
        return SHORT_ROAD;
    uint64_t hash = span_hash(url);
    const Fitting *fitting = spans_get(&own->addresses, url, hash);
    if (fitting == NULL && (fitting = learn(own, url, hash)) == NULL)
        return FAILED;
    Way way = SHORT_ROAD;
    for (int n = 0; way == SHORT_ROAD && n < fitting->count; n++)
        way = drawer_find(own, &own->index->drawers[fitting->drawers[n]], line, found);
    return way;
}

/* index_find, for a line. */
static Way
index_look(Named *own, const Line *line, Found *found)
{
    const Index *index = own->index;
    if (index->categories != NULL)
        return LONG_ROAD;
    Way way = drawer_find(own, &index->drawers[0], line, found);
    for (int n = 0; way == SHORT_ROAD && n < index->table_count; n++)
        way = equal_find(own, &own->equals[n], line, found);
    if (way == SHORT_ROAD && index->globs != NULL)
        way = globs_find(own, line, found);
    return way;
}

static int
moves_add(Moves *moves, const Link *link)
{
    if (moves->count == moves->room) {
        bool few = moves->items == moves->few;
        Moved *items = PyMem_Realloc(few ? NULL : moves->items, 2 * moves->room * sizeof(Moved));
        if (items == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        if (few)
            memcpy(items, moves->few, sizeof moves->few);
        moves->items = items;
        moves->room *= 2;
    }
    unsigned positions = 0;
    for (int n = 0; n < link->count; n++)
        positions |= 1u << link->positions[n]; /* they are few: memory_suits */
    moves->items[moves->count++] = (Moved){link->rank, positions};
    return 0;
}

void
moves_free(Moves *moves)
{
    if (moves->items != moves->few)
        PyMem_Free(moves->items);
}

static int
by_rank(const void *one, const void *other)
{
    return ((const Moved *)one)->rank - ((const Moved *)other)->rank;
}

/* In order of rank; each rule once, with all positions that any watch moves. */
static void
moves_unite(Moves *moves)
{
    qsort(moves->items, moves->count, sizeof(Moved), by_rank);
    int kept = 0;
    for (int n = 1; n < moves->count; n++)
        if (moves->items[n].rank == moves->items[kept].rank)
            moves->items[kept].positions |= moves->items[n].positions;
        else
            moves->items[++kept] = moves->items[n];
    moves->count = kept + 1;
}

/* All rules that wait for what was found; LONG_ROAD when one of them needs more. */
static Way
moves_of(const Fits *fits, const Found *found, Moves *moves)
{
    for (int n = 0; n < found->count; n++) {
        const Watch *watch = &fits->road->watches[found->items[n]];
        if (!fits->simple[found->items[n]])
            return LONG_ROAD;
        for (int m = 0; m < watch->count; m++)
            if (moves_add(moves, &watch->links[m]))
                return FAILED;
    }
    if (moves->count > 1)
        moves_unite(moves);
    return SHORT_ROAD;
}

Way
fits_find(Fits *fits, const Line *line, Moves *moves, PyObject **name)
{
    Span own_name = line->texts[NAME];
    Named *own = spans_get(&fits->named, own_name, span_hash(own_name));
    if (own != NULL && own->name == NULL)
        return LONG_ROAD; /* a special one */
    if (own == NULL)
        own = fits->indexes;
    *name = own->name;
    fits->found.count = 0;
    Way way = index_look(own, line, &fits->found);
    return way == SHORT_ROAD && fits->found.count ? moves_of(fits, &fits->found, moves) : way;
}
