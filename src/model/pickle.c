/* SPDX-License-Identifier: Apache-2.0
 * model/pickle.c - the stack machine of a pickle, protocols 2 to 5, without anything that runs code.
 * In: bytes, untrusted until checked.  Out: values by index; values are never copied, so a small file makes few.
 * The time of an instruction is bounded by its length in the file, and the number of values has a limit.
 * The machine keeps the first failure. */
#include "model/pickle.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

#define MARK UINT32_MAX /* stands on the stack between values */
#define MAX_SHOWN 60    /* characters of a name in a message */

typedef struct indices {
    uint32_t *list;
    uint32_t count, room;
} indices;

typedef struct machine {
    const unsigned char *at, *begin, *end;
    swin2sr__pickle_value *values;
    uint32_t value_count, value_room;
    indices stack, items, memo; /* memo: 0 if nothing is stored */
    bool is_stopped;
    swin2sr_status status;
    swin2sr_error *reterr;
} machine;

/* Refuse with "the pickle ..., at byte N". */
static void refuse(machine *m, const char *what) {
    if (m->status == SWIN2SR_OK)
        m->status = swin2sr__error_set(m->reterr, SWIN2SR_MODEL, "the pickle %s, at byte %zu", what,
                                       (size_t)(m->at - m->begin));
}

/* Make room for one more element; false on failure. */
static bool grow(machine *m, void **list, uint32_t count, uint32_t *room, size_t size) {
    if (m->status != SWIN2SR_OK)
        return false;
    if (count < *room)
        return true;
    uint32_t more = *room ? *room * 2 : 256; /* counts are below 2^23: no overflow */
    void *grown = realloc(*list, more * size);
    if (!grown) {
        m->status = swin2sr__error_set(m->reterr, SWIN2SR_NOMEM, "no memory to read a pickle");
        return false;
    }
    *list = grown;
    *room = more;
    return true;
}

static void append(machine *m, indices *to, uint32_t index) {
    if (grow(m, (void **)&to->list, to->count, &to->room, sizeof(to->list[0])))
        to->list[to->count++] = index;
}

/* Push a new value; NULL on failure. The pointer is valid until the next push. */
static swin2sr__pickle_value *push_new(machine *m, swin2sr__pickle_kind kind) {
    if (m->value_count >= SWIN2SR__MAX_PICKLE_VALUES)
        refuse(m, "holds more values than any state dict");
    if (!grow(m, (void **)&m->values, m->value_count, &m->value_room, sizeof(m->values[0])))
        return NULL;
    append(m, &m->stack, m->value_count);
    m->values[m->value_count] = (swin2sr__pickle_value){.kind = kind};
    return &m->values[m->value_count++];
}

/* The index of the top value; 0 on failure, which is never the index of a value in the file. */
static uint32_t top(machine *m) {
    if (m->stack.count && m->stack.list[m->stack.count - 1] != MARK)
        return m->stack.list[m->stack.count - 1];
    refuse(m, "takes a value from an empty stack");
    return 0;
}

static uint32_t pop(machine *m) {
    uint32_t index = top(m);
    if (m->status == SWIN2SR_OK)
        m->stack.count--;
    return index;
}

/* Pop the last mark and the values above it, which stay readable until the next push. */
static const uint32_t *pop_to_mark(machine *m, uint32_t *ret_count) {
    uint32_t at = m->stack.count;
    while (at && m->stack.list[at - 1] != MARK)
        at--;
    *ret_count = 0;
    if (!at) {
        refuse(m, "lacks a mark");
        return NULL;
    }
    *ret_count = m->stack.count - at;
    m->stack.count = at - 1;
    return m->stack.list + at;
}

/* The next bytes of the pickle; NULL if it has fewer. */
static const unsigned char *take(machine *m, uint64_t bytes) {
    if (m->status != SWIN2SR_OK)
        return NULL;
    if (bytes > (uint64_t)(m->end - m->at)) {
        refuse(m, "is cut short");
        return NULL;
    }
    const unsigned char *taken = m->at;
    m->at += bytes;
    return taken;
}

/* The next little-endian number of the pickle; 0 on failure. */
static uint64_t take_number(machine *m, int bytes) {
    const unsigned char *at = take(m, (uint64_t)bytes);
    uint64_t value = 0;
    for (int i = 0; at && i < bytes; i++)
        value |= (uint64_t)at[i] << 8 * i;
    return value;
}

static void push_integer(machine *m, uint64_t integer) {
    swin2sr__pickle_value *value = push_new(m, SWIN2SR__PICKLE_INTEGER);
    if (value)
        value->integer = (int64_t)integer;
}

static void push_signed(machine *m, uint64_t integer) {
    push_integer(m, (uint64_t)(int64_t)(int32_t)integer);
}

static void push_other(machine *m, uint64_t operand) {
    push_new(m, SWIN2SR__PICKLE_OTHER);
}

static void push_list(machine *m, uint64_t operand) {
    push_new(m, SWIN2SR__PICKLE_LIST);
}

static void push_dict(machine *m, uint64_t operand) {
    push_new(m, SWIN2SR__PICKLE_DICT);
}

static void push_mark(machine *m, uint64_t operand) {
    append(m, &m->stack, MARK);
}

/* A two's complement number. One of more than eight bytes becomes OTHER, because no state dict needs it. */
static void push_long(machine *m, uint64_t bytes) {
    const unsigned char *at = take(m, bytes);
    uint64_t integer = at && bytes && at[bytes - 1] & 0x80 ? ~(uint64_t)0 : 0;
    if (bytes > sizeof(integer)) {
        push_new(m, SWIN2SR__PICKLE_OTHER);
        return;
    }
    for (uint64_t i = bytes; at && i; i--)
        integer = integer << 8 | at[i - 1];
    push_integer(m, integer);
}

static void push_text(machine *m, uint64_t bytes) {
    const unsigned char *text = take(m, bytes);
    swin2sr__pickle_value *value = push_new(m, SWIN2SR__PICKLE_TEXT);
    if (value) {
        value->text = (const char *)text;
        value->text_bytes = (size_t)bytes;
    }
}

static void push_tuple(machine *m, const uint32_t *elements, uint32_t count) {
    uint32_t first = m->items.count;
    for (uint32_t i = 0; i < count; i++)
        append(m, &m->items, elements[i]);
    swin2sr__pickle_value *value = push_new(m, SWIN2SR__PICKLE_TUPLE);
    if (value) {
        value->first = first;
        value->count = count;
    }
}

static void push_small_tuple(machine *m, uint64_t count) {
    uint32_t elements[3];
    for (uint64_t i = count; i; i--)
        elements[i - 1] = pop(m);
    if (m->status == SWIN2SR_OK)
        push_tuple(m, elements, (uint32_t)count);
}

static void push_marked_tuple(machine *m, uint64_t operand) {
    uint32_t count;
    const uint32_t *elements = pop_to_mark(m, &count);
    push_tuple(m, elements, count);
}

static void put(machine *m, uint64_t number) {
    uint32_t index = top(m);
    if (number >= SWIN2SR__MAX_PICKLE_VALUES)
        refuse(m, "stores more values in its memo than any state dict");
    while (m->status == SWIN2SR_OK && m->memo.count <= number)
        append(m, &m->memo, 0);
    if (m->status == SWIN2SR_OK)
        m->memo.list[number] = index;
}

static void put_next(machine *m, uint64_t operand) {
    put(m, m->memo.count);
}

static void get(machine *m, uint64_t number) {
    if (number >= m->memo.count || !m->memo.list[number])
        refuse(m, "reads a memo entry that it never stored");
    else
        append(m, &m->stack, m->memo.list[number]);
}

/* Names in messages are cut to MAX_SHOWN characters, and dots replace characters that a terminal would interpret. */
static void copy_shown(char *to, const char *text, size_t bytes) {
    size_t length = bytes < MAX_SHOWN ? bytes : MAX_SHOWN;
    for (size_t i = 0; i < length; i++)
        to[i] = (char)(text[i] > ' ' && text[i] <= '~' ? text[i] : '.');
    to[length] = '\0';
}

static bool is_same(const char *text, size_t bytes, const char *expected) {
    return bytes == strlen(expected) && memcmp(text, expected, bytes) == 0;
}

/* A name that the pickle refers to: a known function, else an error. */
static void push_global(machine *m, const char *module, size_t module_bytes, const char *name, size_t name_bytes) {
    static const struct {
        const char *module, *name;
        swin2sr__pickle_kind kind;
    } known[] = {
        {"collections", "OrderedDict", SWIN2SR__PICKLE_ORDERED_DICT_TYPE},
        {"torch._utils", "_rebuild_tensor_v2", SWIN2SR__PICKLE_TENSOR_FUNCTION},
        {"torch._utils", "_rebuild_parameter", SWIN2SR__PICKLE_PARAMETER_FUNCTION},
    };
    static const char *const storages[] = {"Float", "Half",  "BFloat16", "Double", "Long",
                                           "Int",   "Short", "Char",     "Byte",   "Bool"};
    static const char storage_end[] = "Storage";
    size_t end_bytes = strlen(storage_end);
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (is_same(module, module_bytes, known[i].module) && is_same(name, name_bytes, known[i].name)) {
            push_new(m, known[i].kind);
            return;
        }
    }
    bool is_storage = is_same(module, module_bytes, "torch") && name_bytes > end_bytes &&
                      is_same(name + name_bytes - end_bytes, end_bytes, storage_end);
    for (size_t i = 0; is_storage && i < sizeof(storages) / sizeof(storages[0]); i++) {
        if (!is_same(name, name_bytes - end_bytes, storages[i]))
            continue;
        swin2sr__pickle_value *value = push_new(m, SWIN2SR__PICKLE_STORAGE_TYPE);
        if (value) {
            value->text = storages[i];
            value->text_bytes = strlen(storages[i]);
        }
        return;
    }
    char shown_module[MAX_SHOWN + 1], shown_name[MAX_SHOWN + 1];
    copy_shown(shown_module, module, module_bytes);
    copy_shown(shown_name, name, name_bytes);
    if (m->status == SWIN2SR_OK)
        m->status =
            swin2sr__error_set(m->reterr, SWIN2SR_MODEL, "the file calls %s.%s, and code in a file is never run",
                               shown_module, shown_name);
}

/* GLOBAL and INST hold the module and the name, each followed by a line feed. */
static void take_global(machine *m, uint64_t operand) {
    const char *lines[2] = {NULL};
    size_t bytes[2] = {0};
    for (int i = 0; i < 2; i++) {
        const unsigned char *line_end = memchr(m->at, '\n', (size_t)(m->end - m->at));
        if (!line_end) {
            refuse(m, "is cut short in a name");
            return;
        }
        lines[i] = (const char *)m->at;
        bytes[i] = (size_t)(line_end - m->at);
        m->at = line_end + 1;
    }
    push_global(m, lines[0], bytes[0], lines[1], bytes[1]);
}

/* INST names a function and calls it, which no state dict does. */
static void take_instance(machine *m, uint64_t operand) {
    take_global(m, 0);
    refuse(m, "has instruction INST, which no state dict needs");
}

static void take_stack_global(machine *m, uint64_t operand) {
    swin2sr__pickle_value name = m->values[pop(m)], module = m->values[pop(m)];
    if (name.kind != SWIN2SR__PICKLE_TEXT || module.kind != SWIN2SR__PICKLE_TEXT)
        refuse(m, "names a function by a value that is not a text");
    else
        push_global(m, module.text, module.text_bytes, name.text, name.text_bytes);
}

/* The value that a call of a known function makes. */
static void reduce(machine *m, uint64_t operand) {
    uint32_t tuple = pop(m);
    swin2sr__pickle_value arguments = m->values[tuple], function = m->values[pop(m)];
    swin2sr__pickle_value *made = NULL;
    if (m->status != SWIN2SR_OK)
        return;
    if (arguments.kind != SWIN2SR__PICKLE_TUPLE)
        refuse(m, "calls something without a tuple of arguments");
    else if (function.kind == SWIN2SR__PICKLE_ORDERED_DICT_TYPE && arguments.count == 0)
        push_new(m, SWIN2SR__PICKLE_DICT);
    else if (function.kind == SWIN2SR__PICKLE_TENSOR_FUNCTION)
        made = push_new(m, SWIN2SR__PICKLE_TENSOR);
    else if (function.kind == SWIN2SR__PICKLE_PARAMETER_FUNCTION && arguments.count &&
             m->values[m->items.list[arguments.first]].kind == SWIN2SR__PICKLE_TENSOR)
        append(m, &m->stack, m->items.list[arguments.first]);
    else
        refuse(m, "calls something in a way that no state dict needs");
    if (made)
        made->tuple = tuple;
}

static void push_storage(machine *m, uint64_t operand) {
    uint32_t tuple = pop(m);
    if (m->values[tuple].kind != SWIN2SR__PICKLE_TUPLE)
        refuse(m, "has a persistent id that is not a tuple");
    swin2sr__pickle_value *made = push_new(m, SWIN2SR__PICKLE_STORAGE);
    if (made)
        made->tuple = tuple;
}

/* Add alternating keys and values to the dict below them. */
static void set_items(machine *m, const uint32_t *items, uint32_t count) {
    uint32_t dict = top(m);
    if (m->values[dict].kind != SWIN2SR__PICKLE_DICT || count % 2)
        refuse(m, "sets items of a value that is not a dict");
    for (uint32_t i = 0; m->status == SWIN2SR_OK && i < count; i += 2) {
        uint32_t key = items[i], value = items[i + 1], entry = m->value_count;
        swin2sr__pickle_value *made = push_new(m, SWIN2SR__PICKLE_ENTRY); /* takes the place of the mark */
        if (!made)
            return;
        pop(m);
        made->key = key;
        made->value = value;
        if (m->values[dict].last)
            m->values[m->values[dict].last].next = entry;
        else
            m->values[dict].entry = entry;
        m->values[dict].last = entry;
    }
}

static void set_one_item(machine *m, uint64_t operand) {
    uint32_t value = pop(m), key = pop(m);
    set_items(m, (const uint32_t[]){key, value}, 2);
}

/* A state dict carries the versions of its modules as an attribute. Nothing reads it. */
static void build(machine *m, uint64_t operand) {
    uint32_t state = pop(m), object = top(m);
    if (m->values[state].kind != SWIN2SR__PICKLE_DICT || m->values[object].kind != SWIN2SR__PICKLE_DICT)
        refuse(m, "sets the state of a value that is not a dict");
}

static void set_marked_items(machine *m, uint64_t operand) {
    uint32_t count;
    const uint32_t *items = pop_to_mark(m, &count);
    set_items(m, items, count);
}

static void check_list(machine *m) {
    if (m->values[top(m)].kind != SWIN2SR__PICKLE_LIST)
        refuse(m, "appends to a value that is not a list");
}

static void append_one(machine *m, uint64_t operand) {
    pop(m);
    check_list(m);
}

static void append_marked(machine *m, uint64_t operand) {
    uint32_t count;
    pop_to_mark(m, &count);
    check_list(m);
}

/* FRAME states the length of what follows, which only readers of streams need. */
static void skip(machine *m, uint64_t operand) {
}

static void stop(machine *m, uint64_t operand) {
    m->is_stopped = true;
}

#define STEP(code, operand_bytes, operand, run) \
    { code, operand_bytes, operand, run }

/* Every instruction that a state dict needs. Its operand is the number in the bytes that follow, or a constant. */
static const struct {
    unsigned char code, operand_bytes, operand;
    void (*run)(machine *m, uint64_t operand);
} steps[] = {
    /* NONE, NEWTRUE, NEWFALSE, BINFLOAT, BININT, BININT1, BININT2, LONG1, LONG4 */
    STEP('N', 0, 0, push_other), STEP(0x88, 0, 0, push_other), STEP(0x89, 0, 0, push_other),
    STEP('G', 8, 0, push_other), STEP('J', 4, 0, push_signed), STEP('K', 1, 0, push_integer),
    STEP('M', 2, 0, push_integer), STEP(0x8a, 1, 0, push_long), STEP(0x8b, 4, 0, push_long),
    /* SHORT_BINUNICODE, BINUNICODE, BINUNICODE8, EMPTY_LIST, EMPTY_DICT, MARK */
    STEP(0x8c, 1, 0, push_text), STEP('X', 4, 0, push_text), STEP(0x8d, 8, 0, push_text), STEP(']', 0, 0, push_list),
    STEP('}', 0, 0, push_dict), STEP('(', 0, 0, push_mark),
    /* EMPTY_TUPLE, TUPLE1 to TUPLE3, TUPLE, SETITEM, SETITEMS, APPEND, APPENDS */
    STEP(')', 0, 0, push_small_tuple), STEP(0x85, 0, 1, push_small_tuple), STEP(0x86, 0, 2, push_small_tuple),
    STEP(0x87, 0, 3, push_small_tuple), STEP('t', 0, 0, push_marked_tuple), STEP('s', 0, 0, set_one_item),
    STEP('u', 0, 0, set_marked_items), STEP('a', 0, 0, append_one), STEP('e', 0, 0, append_marked),
    /* BINPUT, LONG_BINPUT, MEMOIZE, BINGET, LONG_BINGET */
    STEP('q', 1, 0, put), STEP('r', 4, 0, put), STEP(0x94, 0, 0, put_next), STEP('h', 1, 0, get), STEP('j', 4, 0, get),
    /* GLOBAL, INST, STACK_GLOBAL, BINPERSID, REDUCE, BUILD, FRAME, STOP */
    STEP('c', 0, 0, take_global), STEP('i', 0, 0, take_instance), STEP(0x93, 0, 0, take_stack_global),
    STEP('Q', 0, 0, push_storage), STEP('R', 0, 0, reduce), STEP('b', 0, 0, build), STEP(0x95, 8, 0, skip),
    STEP('.', 0, 0, stop)};

static void refuse_instruction(machine *m, unsigned char code) {
    static const struct {
        unsigned char code;
        const char *name;
    } known[] = {
        /* clang-format off */
        {'0', "POP"}, {'1', "POP_MARK"}, {'2', "DUP"}, {'F', "FLOAT"}, {'I', "INT"}, {'L', "LONG"}, {'P', "PERSID"},
        {'S', "STRING"}, {'T', "BINSTRING"}, {'U', "SHORT_BINSTRING"}, {'V', "UNICODE"}, {'B', "BINBYTES"},
        {'C', "SHORT_BINBYTES"}, {'d', "DICT"}, {'l', "LIST"}, {'o', "OBJ"}, {'p', "PUT"}, {'g', "GET"},
        {0x80, "PROTO"}, {0x81, "NEWOBJ"}, {0x82, "EXT1"}, {0x83, "EXT2"}, {0x84, "EXT4"}, {0x8e, "BINBYTES8"},
        {0x8f, "EMPTY_SET"}, {0x90, "ADDITEMS"}, {0x91, "FROZENSET"}, {0x92, "NEWOBJ_EX"}, {0x96, "BYTEARRAY8"},
        {0x97, "NEXT_BUFFER"}, {0x98, "READONLY_BUFFER"},
        /* clang-format on */
    };
    const char *name = "an unknown one";
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (known[i].code == code)
            name = known[i].name;
    if (m->status == SWIN2SR_OK)
        m->status = swin2sr__error_set(m->reterr, SWIN2SR_MODEL,
                                       "the pickle has instruction 0x%02x (%s), which no state dict needs, at byte %zu",
                                       code, name, (size_t)(m->at - m->begin) - 1);
}

static void step(machine *m, unsigned char code) {
    size_t i = 0, count = sizeof(steps) / sizeof(steps[0]);
    while (i < count && steps[i].code != code)
        i++;
    if (i < count)
        steps[i].run(m, steps[i].operand_bytes ? take_number(m, steps[i].operand_bytes) : steps[i].operand);
    else
        refuse_instruction(m, code);
}

static void run(machine *m) {
    push_new(m, SWIN2SR__PICKLE_OTHER); /* value 0, so that 0 means none */
    m->stack.count = 0;
    const unsigned char *start = take(m, 2);
    if (start && (start[0] != 0x80 || start[1] < 2 || start[1] > 5))
        refuse(m, "is not of protocol 2 to 5");
    while (m->status == SWIN2SR_OK && !m->is_stopped) {
        const unsigned char *code = take(m, 1);
        if (code)
            step(m, *code);
    }
    if (m->status == SWIN2SR_OK && m->at != m->end)
        refuse(m, "continues after its end");
    if (m->status == SWIN2SR_OK && m->stack.count != 1)
        refuse(m, "does not end with one value");
    top(m);
}

swin2sr_status swin2sr__pickle_init(const void *data, size_t size, swin2sr__pickle *ret_pickle, swin2sr_error *reterr) {
    machine m = {.at = data, .begin = data, .end = (const unsigned char *)data + size, .reterr = reterr};
    if (size > SWIN2SR__MAX_PICKLE_BYTES)
        return swin2sr__error_set(reterr, SWIN2SR_MODEL, "the pickle has %zu bytes, more than any state dict", size);
    run(&m);
    swin2sr__pickle pickle = {.values = m.values, .items = m.items.list, .root = m.stack.count ? m.stack.list[0] : 0};
    free(m.stack.list);
    free(m.memo.list);
    if (m.status != SWIN2SR_OK) {
        swin2sr__pickle_done(&pickle);
        return m.status;
    }
    *ret_pickle = pickle;
    return SWIN2SR_OK;
}

void swin2sr__pickle_done(swin2sr__pickle *pickle) {
    free(pickle->values);
    free(pickle->items);
    *pickle = (swin2sr__pickle){0};
}

bool swin2sr__pickle_is_text(const swin2sr__pickle_value *value, const char *text) {
    return value->kind == SWIN2SR__PICKLE_TEXT && is_same(value->text, value->text_bytes, text);
}

const swin2sr__pickle_value *swin2sr__pickle_element(const swin2sr__pickle *pickle, const swin2sr__pickle_value *tuple,
                                                     uint32_t i) {
    if (tuple->kind != SWIN2SR__PICKLE_TUPLE || i >= tuple->count)
        return NULL;
    return &pickle->values[pickle->items[tuple->first + i]];
}
