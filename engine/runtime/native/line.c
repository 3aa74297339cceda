/* A plain line, read where it lies: one pass over its bytes, and no value of Python.

   What is accepted here is less than JSON: texts of ASCII without escapes, numbers of at most 15
   digits without an exponent (a double holds them, and their quotient by a power of ten that a
   double holds too is rounded once, as it must be). All else is left to the decoder. */

#include "plain.h"

#define DIGITS 15
#define DEPTH 8

typedef struct { const char *at, *end; } Reader;

static void
skip_space(Reader *reader)
{
    while (reader->at < reader->end
           && (*reader->at == ' ' || *reader->at == '\n' || *reader->at == '\t'
               || *reader->at == '\r'))
        reader->at++;
}

/* The next byte after white space; 0 at the end. */
static char
next(Reader *reader)
{
    if (reader->at < reader->end && *reader->at > ' ')
        return *reader->at;
    skip_space(reader);
    return reader->at < reader->end ? *reader->at : 0;
}

static bool
take(Reader *reader, char byte)
{
    if (next(reader) != byte || byte == 0)
        return false;
    reader->at++;
    return true;
}

/* The bytes of a word that are no part of a plain text, marked by their highest bit; a mark above
   the first one may be false, and the first is true. */
static uint64_t
odd_bytes(uint64_t word)
{
    const uint64_t ones = 0x0101010101010101ULL, high = 0x8080808080808080ULL;
    uint64_t quote = word ^ (ones * '"'), slash = word ^ (ones * '\\');
    uint64_t control = (word - ones * 0x20) & ~word;
    return (word | control | ((quote - ones) & ~quote) | ((slash - ones) & ~slash)) & high;
}

/* A text of printable ASCII; false when there is anything else in it. */
static bool
read_text(Reader *reader, Span *span)
{
    if (!take(reader, '"'))
        return false;
    const char *at = reader->at;
    for (uint64_t word; at + 8 <= reader->end; at += 8) {
        memcpy(&word, at, 8);
        if (odd_bytes(word))
            break;
    }
    while (at < reader->end && *at >= ' ' && *at != '"' && *at != '\\')
        at++;
    if (at == reader->end || *at != '"')
        return false;
    *span = (Span){reader->at, at - reader->at};
    reader->at = at + 1;
    return true;
}

static const char *
read_digits(const char *at, const char *end, long long *whole, int *count)
{
    for (; at < end && *at >= '0' && *at <= '9' && *count <= DIGITS; at++, ++*count)
        *whole = *whole * 10 + (*at - '0');
    return at;
}

static bool
read_number(Reader *reader, double *number)
{
    static const double POWERS[] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
    bool negative = take(reader, '-');
    const char *first = reader->at, *end = reader->end;
    long long digits = 0;
    int count = 0, places = 0;
    const char *at = read_digits(first, end, &digits, &count);
    if (count == 0 || (*first == '0' && count > 1))
        return false;
    if (at < end && *at == '.') {
        places = -count;
        at = read_digits(at + 1, end, &digits, &count);
        places += count;
        if (places == 0)
            return false;
    }
    if (count > DIGITS || (at < end && (*at == 'e' || *at == 'E')))
        return false;
    reader->at = at;
    double size = (double)digits / POWERS[places];
    *number = negative ? -size : size;
    return true;
}

static bool
read_word(Reader *reader, const char *word)
{
    Py_ssize_t length = (Py_ssize_t)strlen(word);
    if (reader->end - reader->at < length || memcmp(reader->at, word, length) != 0)
        return false;
    reader->at += length;
    return true;
}

static bool read_value(Reader *reader, Value *value, int depth);

/* What is nested is no value of the short road, but it must be right. */
static bool
skip_nested(Reader *reader, int depth)
{
    char open = *reader->at++, close = open == '{' ? '}' : ']';
    if (depth == DEPTH)
        return false;
    if (take(reader, close))
        return true;
    do {
        Value value;
        if (open == '{' && (!read_text(reader, &value.name) || !take(reader, ':')))
            return false;
        if (!read_value(reader, &value, depth + 1))
            return false;
    } while (take(reader, ','));
    return take(reader, close);
}

static bool
read_value(Reader *reader, Value *value, int depth)
{
    switch (next(reader)) {
    case '"':
        value->kind = IS_TEXT;
        return read_text(reader, &value->text);
    case '{':
    case '[':
        value->kind = IS_NESTED;
        return skip_nested(reader, depth);
    case 't':
        value->kind = IS_FLAG;
        return read_word(reader, "true");
    case 'f':
        value->kind = IS_FLAG;
        return read_word(reader, "false");
    case 'n':
        value->kind = IS_NULL;
        return read_word(reader, "null");
    default:
        value->kind = IS_NUMBER;
        return read_number(reader, &value->number);
    }
}

/* ---------------------------------------------------------------- the fields of a line */

static bool
read_data(Reader *reader, Line *line)
{
    if (next(reader) == 'n')
        return read_word(reader, "null");
    if (!take(reader, '{'))
        return false;
    if (take(reader, '}'))
        return true;
    do {
        Value *value = &line->values[line->count];
        if (line->count == VALUES || !read_text(reader, &value->name) || !take(reader, ':')
            || !read_value(reader, value, 0))
            return false;
        line->count++;
    } while (take(reader, ','));
    return take(reader, '}');
}

static bool
read_time(Reader *reader, long long *time)
{
    const char *first = (next(reader), reader->at);
    int count = 0;
    *time = 0;
    reader->at = read_digits(first, reader->end, time, &count);
    char after = next(reader);
    return count > 0 && count <= DIGITS && (*first != '0' || count == 1)
           && (after == ',' || after == '}');
}

static const struct { const char *name; Text text; } KNOWN[] = {
    {"eventName", NAME}, {"visitID", VISIT},   {"pageID", PAGE},
    {"url", URL},        {"title", TITLE},     {"category", CATEGORY},
    {"eventID", EVENT_ID}, {"languageCode", LANGUAGE}, {"globalVisitID", VISITOR},
};

static bool
is(Span span, const char *name)
{
    return span.length == (Py_ssize_t)strlen(name) && memcmp(span.text, name, span.length) == 0;
}

/* Fields that were read: of each text a bit, and of the others. A second one is odd. */
enum { TIME_SEEN = 1 << TEXTS, DATA_SEEN = TIME_SEEN << 1 };

static bool
once(unsigned *seen, unsigned bit)
{
    bool first = (*seen & bit) == 0;
    *seen |= bit;
    return first;
}

static bool
read_field(Reader *reader, Line *line, Span name, unsigned *seen)
{
    for (size_t n = 0; n < sizeof KNOWN / sizeof *KNOWN; n++)
        if (is(name, KNOWN[n].name)) {
            if (!once(seen, 1u << KNOWN[n].text))
                return false;
            if (next(reader) == 'n')
                return read_word(reader, "null");
            return read_text(reader, &line->texts[KNOWN[n].text]);
        }
    if (is(name, "timestamp"))
        return once(seen, TIME_SEEN) && read_time(reader, &line->time);
    if (is(name, "data"))
        return once(seen, DATA_SEEN) && read_data(reader, line);
    /* What a recording adds from outside. */
    if (is(name, "agents") || is(name, "pacing") || is(name, "draw"))
        return false;
    Value unknown;
    return read_value(reader, &unknown, 0);
}

bool
line_read(Line *line, const char *text, Py_ssize_t length)
{
    Reader reader = {text, text + length};
    unsigned seen = 0;
    memset(line->texts, 0, sizeof line->texts);
    line->count = 0;
    if (!take(&reader, '{'))
        return false;
    do {
        Span name;
        if (!read_text(&reader, &name) || !take(&reader, ':')
            || !read_field(&reader, line, name, &seen))
            return false;
    } while (take(&reader, ','));
    if (!take(&reader, '}') || next(&reader) != 0 || reader.at != reader.end)
        return false;
    if (line->texts[VISITOR].length == 0)
        line->texts[VISITOR] = line->texts[VISIT];
    return (seen & TIME_SEEN) && line->texts[NAME].text != NULL && line->texts[VISIT].text != NULL;
}

/* A whole number that a double holds may be compared as one. */
static bool
value_of(Value *value, PyObject *object)
{
    value->kind = IS_NESTED;
    if (PyUnicode_CheckExact(object)) {
        value->kind = IS_TEXT;
        value->text = span_of(object);
        return value->text.text != NULL;
    }
    if (PyFloat_CheckExact(object)) {
        value->kind = IS_NUMBER;
        value->number = PyFloat_AS_DOUBLE(object);
    }
    else if (PyLong_CheckExact(object)) {
        long long exact;
        value->kind = IS_NUMBER;
        if (!whole(object, &exact) || exact > (1LL << 53) || exact < -(1LL << 53))
            return false;
        value->number = (double)exact;
    }
    else if (PyBool_Check(object))
        value->kind = IS_FLAG;
    else if (object == Py_None)
        value->kind = IS_NULL;
    return true;
}

bool
line_values(Line *line, PyObject *data)
{
    line->count = 0;
    if (data == names.nothing)
        return true;
    if (!PyDict_CheckExact(data) || PyDict_GET_SIZE(data) > VALUES)
        return false;
    PyObject *name, *object;
    for (Py_ssize_t place = 0; PyDict_Next(data, &place, &name, &object); line->count++) {
        Value *value = &line->values[line->count];
        value->name = span_of(name);
        if (value->name.text == NULL || !value_of(value, object))
            return false;
    }
    return true;
}

const Value *
line_value(const Line *line, Span name)
{
    for (int n = line->count - 1; n >= 0; n--)
        if (same_span(line->values[n].name, name))
            return &line->values[n];
    return NULL;
}

/* ---------------------------------------------------------------- spans */

bool
same_span(Span one, Span other)
{
    return one.length == other.length && memcmp(one.text, other.text, one.length) == 0;
}

/* Mixed with a number that nobody outside knows, so nobody can fill one place of a table. */
uint64_t
span_hash(Span span)
{
    const uint64_t by = 0x9E3779B97F4A7C15ULL;
    uint64_t hash = names.secret ^ ((uint64_t)span.length * by), word;
    for (; span.length >= 8; span.text += 8, span.length -= 8) {
        memcpy(&word, span.text, 8);
        hash = (hash ^ word) * by;
        hash ^= hash >> 29;
    }
    word = 0;
    memcpy(&word, span.text, span.length);
    hash = (hash ^ word) * by;
    hash ^= hash >> 32;
    return (hash * by) ^ (hash >> 29);
}

Span
span_of(PyObject *text)
{
    if (!PyUnicode_CheckExact(text) || !PyUnicode_IS_COMPACT_ASCII(text))
        return (Span){NULL, 0};
    return (Span){(const char *)PyUnicode_1BYTE_DATA(text), PyUnicode_GET_LENGTH(text)};
}

PyObject *
text_of(Span span)
{
    if (span.text == NULL)
        return Py_NewRef(Py_None);
    PyObject *text = PyUnicode_New(span.length, 127);
    if (text != NULL && span.length)
        memcpy(PyUnicode_1BYTE_DATA(text), span.text, span.length);
    return text;
}
