"""What printed C brings along where it uses it: lists, maps and texts, which are never given back."""

from typing import Final

LIST: Final = """\
typedef struct {{
    {item} *items;
    long long size, room;
}} {name};

static {name} *{name}_new(void) {{
    return calloc(1, sizeof({name}));
}}

static void {name}_push({name} *list, {item} item) {{
    if (list->size == list->room) {{
        list->room = 2 * list->room + 4;
        list->items = realloc(list->items, list->room * sizeof({item}));
    }}
    list->items[list->size++] = item;
}}

static {name} *{name}_of(long long count, const {item} *items) {{
    {name} *made = {name}_new();
    for (long long i = 0; i < count; i++) {{
        {name}_push(made, items[i]);
    }}
    return made;
}}
"""
OF_LISTS: Final = {
    "repeat": """\
static {name} *{name}_repeat({item} item, long long count) {{
    {name} *made = {name}_new();
    for (long long i = 0; i < count; i++) {{
        {name}_push(made, item);
    }}
    return made;
}}
""",
    "joined": """\
static {name} *{name}_joined(const {name} *left, const {name} *right) {{
    {name} *made = {name}_of(left->size, left->items);
    for (long long i = 0; i < right->size; i++) {{
        {name}_push(made, right->items[i]);
    }}
    return made;
}}
""",
    "reversed": """\
static {name} *{name}_reversed(const {name} *list) {{
    {name} *made = {name}_new();
    for (long long i = list->size - 1; i >= 0; i--) {{
        {name}_push(made, list->items[i]);
    }}
    return made;
}}
""",
    "sorted": """\
static int {name}_compare(const void *left, const void *right) {{
    {item} a = *({item} const *)left;
    {item} b = *({item} const *)right;
    return {compare};
}}

static {name} *{name}_sorted(const {name} *list) {{
    {name} *made = {name}_of(list->size, list->items);
    if (made->size > 0) {{
        qsort(made->items, made->size, sizeof({item}), {name}_compare);
    }}
    return made;
}}
""",
    "contains": """\
static bool {name}_contains(const {name} *list, {item} b) {{
    for (long long i = 0; i < list->size; i++) {{
        {item} a = list->items[i];
        if (({compare}) == 0) {{
            return true;
        }}
    }}
    return false;
}}
""",
    "put": """\
static void put_{name}(const {name} *list) {{
    for (long long i = 0; i < list->size; i++) {{
        put_{one}(list->items[i]);
    }}
}}
""",
    "read": """\
static {name} *read_{name}(long long count) {{
    {name} *made = {name}_new();
    for (long long i = 0; i < count; i++) {{
        {name}_push(made, read_{one}());
    }}
    return made;
}}
""",
    "grid": """\
static {name}_rows *{name}_grid({item} item, long long rows, long long columns) {{
    {name}_rows *made = {name}_rows_new();
    for (long long i = 0; i < rows; i++) {{
        {name}_rows_push(made, {name}_repeat(item, columns));
    }}
    return made;
}}
""",
    "copy_rows": """\
static {name}_rows *{name}_copy_rows(const {name}_rows *list) {{
    {name}_rows *made = {name}_rows_new();
    for (long long i = 0; i < list->size; i++) {{
        {name}_rows_push(made, {name}_of(list->items[i]->size, list->items[i]->items));
    }}
    return made;
}}
""",
}
MAP: Final = """\
typedef struct {{
    {key} *keys;
    {value} *values;
    long long size, room;
}} {name};

static {name} *{name}_new(void) {{
    return calloc(1, sizeof({name}));
}}

static long long {name}_place(const {name} *map, {key} b) {{
    long long low = 0, high = map->size;
    while (low < high) {{
        long long middle = (low + high) / 2;
        {key} a = map->keys[middle];
        if (({compare}) < 0) {{
            low = middle + 1;
        }} else {{
            high = middle;
        }}
    }}
    return low;
}}

static bool {name}_has(const {name} *map, {key} b) {{
    long long place = {name}_place(map, b);
    if (place == map->size) {{
        return false;
    }}
    {key} a = map->keys[place];
    return ({compare}) == 0;
}}

static {value} {name}_get(const {name} *map, {key} key, {value} otherwise) {{
    return {name}_has(map, key) ? map->values[{name}_place(map, key)] : otherwise;
}}

static void {name}_put({name} *map, {key} key, {value} value) {{
    long long place = {name}_place(map, key);
    if (!{name}_has(map, key)) {{
        if (map->size == map->room) {{
            map->room = 2 * map->room + 4;
            map->keys = realloc(map->keys, map->room * sizeof({key}));
            map->values = realloc(map->values, map->room * sizeof({value}));
        }}
        memmove(map->keys + place + 1, map->keys + place, (map->size - place) * sizeof({key}));
        memmove(map->values + place + 1, map->values + place, (map->size - place) * sizeof({value}));
        map->size++;
        map->keys[place] = key;
    }}
    map->values[place] = value;
}}
"""
OF_MAPS: Final = {
    "remove": """\
static void {name}_remove({name} *map, {key} key) {{
    if ({name}_has(map, key)) {{
        long long place = {name}_place(map, key);
        map->size--;
        memmove(map->keys + place, map->keys + place + 1, (map->size - place) * sizeof({key}));
        memmove(map->values + place, map->values + place + 1, (map->size - place) * sizeof({value}));
    }}
}}
""",
    "copy": """\
static {name} *{name}_copy(const {name} *map) {{
    {name} *made = {name}_new();
    for (long long i = 0; i < map->size; i++) {{
        {name}_put(made, map->keys[i], map->values[i]);
    }}
    return made;
}}
""",
}
HELPERS: Final = {
    "floor_div": """\
static long long floor_div(long long a, long long b) {
    long long quotient = a / b;
    return a % b != 0 && (a < 0) != (b < 0) ? quotient - 1 : quotient;
}
""",
    "floor_mod": """\
static long long floor_mod(long long a, long long b) {
    long long rest = a % b;
    return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}
""",
    "min_of": "static long long min_of(long long a, long long b) {\n    return a < b ? a : b;\n}\n",
    "max_of": "static long long max_of(long long a, long long b) {\n    return a > b ? a : b;\n}\n",
    "text_slice": """\
static const char *text_slice(const char *text, long long from, long long to) {
    char *made = calloc(to - from + 1, 1);
    memcpy(made, text + from, to - from);
    return made;
}
""",
    "text_joined": """\
static const char *text_joined(const char *left, const char *right) {
    char *made = malloc(strlen(left) + strlen(right) + 1);
    strcpy(made, left);
    strcat(made, right);
    return made;
}
""",
    "text_reversed": """\
static const char *text_reversed(const char *text) {
    size_t size = strlen(text);
    char *made = calloc(size + 1, 1);
    for (size_t i = 0; i < size; i++) {
        made[i] = text[size - 1 - i];
    }
    return made;
}
""",
    "text_of_char": """\
static const char *text_of_char(long long code) {
    char *made = calloc(2, 1);
    made[0] = (char)code;
    return made;
}
""",
    "text_of_int": """\
static const char *text_of_int(long long number) {
    char *made = malloc(24);
    snprintf(made, 24, "%lld", number);
    return made;
}
""",
    "join": """\
static const char *join(const texts *list, const char *between) {
    size_t size = 1;
    for (long long i = 0; i < list->size; i++) {
        size += strlen(list->items[i]) + strlen(between);
    }
    char *made = calloc(size, 1), *end = made;
    for (long long i = 0; i < list->size; i++) {
        end += sprintf(end, "%s%s", i > 0 ? between : "", list->items[i]);
    }
    return made;
}
""",
    "split": """\
static texts *split(const char *text) {
    texts *words = texts_new();
    while (*text) {
        size_t blanks = strspn(text, " "), size = strcspn(text + blanks, " ");
        if (size > 0) {
            texts_push(words, text_slice(text, blanks, blanks + size));
        }
        text += blanks + size;
    }
    return words;
}
""",
    "put_text": """\
static bool line_has_begun = false;

static void put_text(const char *text) {
    printf(line_has_begun ? " %s" : "%s", text);
    line_has_begun = true;
}
""",
    "put_int": "static void put_int(long long number) {\n    put_text(text_of_int(number));\n}\n",
    "end_line": 'static void end_line(void) {\n    printf("\\n");\n    line_has_begun = false;\n}\n',
    "after_word": "static bool after_word = false; // the rest of its line is blank\n",
    "read_until": """\
static const char *read_until(bool whole_line) {
    size_t size = 0, room = 16;
    char *made = malloc(room);
    int c;
    while ((c = getchar()) != EOF && c != '\\n' && (whole_line || c != ' ')) {
        if (size + 1 == room) {
            room *= 2;
            made = realloc(made, room);
        }
        made[size++] = (char)c;
    }
    if (!whole_line) {
        ungetc(c, stdin);
    }
    made[size] = '\\0';
    return made;
}
""",
    "read_text": """\
static const char *read_text(void) {
    int c;
    while ((c = getchar()) == ' ' || c == '\\n') {
    }
    ungetc(c, stdin);
    after_word = true;
    return read_until(false);
}
""",
    "read_int": "static long long read_int(void) {\n    return atoll(read_text());\n}\n",
    "read_line": """\
static const char *read_line(void) {
    if (after_word) {
        read_until(true);
        after_word = false;
    }
    return read_until(true);
}
""",
}
