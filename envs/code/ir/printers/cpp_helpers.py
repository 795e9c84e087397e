"""What printed C++ brings along where it uses it."""

from typing import Final

HELPERS: Final = {
    "floor_div": """\
long long floor_div(long long a, long long b) {
    long long quotient = a / b;
    return a % b != 0 && (a < 0) != (b < 0) ? quotient - 1 : quotient;
}
""",
    "floor_mod": """\
long long floor_mod(long long a, long long b) {
    long long rest = a % b;
    return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}
""",
    "joined": """\
template <typename T>
std::vector<T> joined(std::vector<T> left, const std::vector<T>& right) {
    left.insert(left.end(), right.begin(), right.end());
    return left;
}
""",
    "slice": """\
template <typename T>
std::vector<T> slice(const std::vector<T>& list, long long from, long long to) {
    return std::vector<T>(list.begin() + from, list.begin() + to);
}
""",
    "sorted": """\
template <typename T>
std::vector<T> sorted(std::vector<T> list) {
    std::sort(list.begin(), list.end());
    return list;
}
""",
    "reversed": """\
template <typename T>
T reversed(T of) {
    std::reverse(of.begin(), of.end());
    return of;
}
""",
    "contains": """\
template <typename T>
bool contains(const std::vector<T>& list, const T& wanted) {
    return std::find(list.begin(), list.end(), wanted) != list.end();
}
""",
    "join": """\
std::string join(const std::vector<std::string>& texts, const std::string& between) {
    std::string made;
    for (std::size_t i = 0; i < texts.size(); i++) {
        made += (i > 0 ? between : "") + texts[i];
    }
    return made;
}
""",
    "split": """\
std::vector<std::string> split(const std::string& text) {
    std::istringstream stream(text);
    std::vector<std::string> words;
    for (std::string word; stream >> word;) {
        words.push_back(word);
    }
    return words;
}
""",
    "get_or": """\
template <typename K, typename V>
V get_or(const std::map<K, V>& map, const K& key, const V& otherwise) {
    auto found = map.find(key);
    return found == map.end() ? otherwise : found->second;
}
""",
    "keys": """\
template <typename K, typename V>
std::vector<K> keys(const std::map<K, V>& map) {
    std::vector<K> made;
    for (const auto& entry : map) {
        made.push_back(entry.first);
    }
    return made;
}
""",
    "print_line": """\
template <typename T>
void put(std::ostringstream& line, const T& value) {
    line << " " << value;
}

template <typename T>
void put(std::ostringstream& line, const std::vector<T>& values) {
    for (const auto& value : values) {
        line << " " << value;
    }
}

template <typename... T>
void print_line(const T&... values) {
    std::ostringstream line;
    (put(line, values), ...);
    std::string text = line.str();
    std::cout << (text.empty() ? text : text.substr(1)) << "\\n";
}
""",
    "read_line": """\
std::string read_line() {
    std::string line;
    if (!std::getline(std::cin, line)) {
        std::exit(1);
    }
    return line;
}
""",
    "read_word": """\
std::string read_word() {
    std::string word;
    std::cin >> word;
    return word;
}
""",
    "read_int": """\
long long read_int() {
    return std::stoll(read_word());
}
""",
    "collect": """\
template <typename F>
auto collect(long long count, F read) {
    std::vector<decltype(read())> made;
    for (long long i = 0; i < count; i++) {
        made.push_back(read());
    }
    return made;
}
""",
}
HELPERS_OF_LINES: Final = {
    "read_word": """\
std::string read_word() {
    static std::istringstream pending;
    std::string word;
    while (!(pending >> word)) {
        pending = std::istringstream(read_line());
    }
    return word;
}
""",
}
