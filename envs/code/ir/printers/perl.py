"""Perl."""

from collections.abc import Sequence
from typing import ClassVar

from palestra.envs.code.ir.looks import from_end, is_zero, moved
from palestra.envs.code.ir.nodes import (
    BOOL,
    STR,
    Block,
    Expression,
    Function,
    Items,
    NewMap,
    Operation,
    Pick,
    Read,
    Use,
)
from palestra.envs.code.ir.printers.printer import ADD, ATOM, CALLED, COMPARE, OR, PICK, UNARY, Made, Printer

# Functions share their names with what the language brings; variables have a $ before theirs.
_WORDS = """\
abs accept alarm and atan2 bind binmode bless caller chdir chmod chomp chop chown chr chroot close closedir cmp
connect continue cos crypt defined delete die do dump each else elsif eof eq eval exec exists exit exp fc fcntl
fileno flock for foreach fork format formline ge getc glob gmtime goto grep gt hex if index int ioctl join keys kill
last lc lcfirst le length link listen local localtime lock log lstat lt m map mkdir my ne next no not oct open
opendir or ord our pack package pipe pop pos print printf prototype push q qq qr qw qx rand read readdir readline
readlink readpipe recv redo ref rename require reset return reverse rewinddir rindex rmdir s say scalar seek select
send shift shutdown sin sleep sort splice split sprintf sqrt srand stat state study sub substr symlink syscall
sysopen sysread system tell tie time times tr truncate uc ucfirst umask undef unless unlink unpack unshift untie
until use utime values vec wait wantarray warn while write x xor y min max main
"""
_COMPARISONS = {"==": "eq", "!=": "ne", "<": "lt", "<=": "le", ">": "gt", ">=": "ge"}


class PerlPrinter(Printer):
    """Writes Perl 5."""

    language = "perl"
    end = ";"
    reserved = frozenset(_WORDS.split())
    augments = frozenset(("+", "-", "*", "%", "concat"))
    symbols: ClassVar = {"and": "&&", "or": "||", "concat": "."}
    forms: ClassVar = {
        "len": ("scalar(@{{{0}}})", CALLED),
        "len:str": ("length({0})", CALLED),
        "len:map": ("scalar(keys %{{{0}}})", CALLED),
        "abs": ("abs({0})", CALLED),
        "min": ("@min_of({0}, {1})", CALLED),
        "max": ("@max_of({0}, {1})", CALLED),
        "ord": ("ord({0})", CALLED),
        "chr": ("chr({0})", CALLED),
        "str": ("{0:c} . ''", ADD),
        "int": ("0 + {0:A}", ADD),
        "concat": ("[@{{{0}}}, @{{{1}}}]", ATOM),
        "concat:str": ("{0:a} . {1:A}", ADD),
        "repeat": ("[({0}) x {1:c}]", ATOM),
        "grid": ("[map {{ [({0}) x {2:c}] }} 1 .. {1:c}]", ATOM),
        "sorted:list[int]": ("@sorted_numbers({0})", CALLED),
        "sorted:list[str]": ("[sort @{{{0}}}]", ATOM),
        "reversed": ("[reverse @{{{0}}}]", ATOM),
        "reversed:str": ("scalar(reverse({0}))", CALLED),
        "copy": ("[@{{{0}}}]", ATOM),
        "copy:map": ("+{{%{{{0}}}}}", ATOM),
        "copy:rows": ("[map {{ [@$_] }} @{{{0}}}]", ATOM),
        "contains:list[int]": ("@has_number({0}, {1})", CALLED),
        "contains:list[str]": ("@has_text({0}, {1})", CALLED),
        "contains:str": ("index({0}, {1}) >= 0", COMPARE),
        "join": ("join({1}, @{{{0}}})", CALLED),
        "split": ("[split ' ', {0}]", ATOM),
        "has": ("exists {0:c}->{{{1}}}", UNARY),
        "get": ("{0:c}->{{{1}}} // {2:c}", PICK),
        "keys": ("[sort keys %{{{0}}}]", ATOM),
    }
    phrases: ClassVar = {
        "let": "my {0} = {1};",
        "assign": "{0} = {1};",
        "append": "push @{{{0}}}, {1};",
        "pop": "pop @{{{0}}};",
        "pop_into": "{1} = pop @{{{0}}};",
        "put": "{0:c}->{{{1}}} = {2};",
        "remove": "delete {0:c}->{{{1}}};",
    }
    blocks: ClassVar = {
        "if": "if ({0}) {{",
        "elif": "}} elsif ({0}) {{",
        "else": "}} else {{",
        "while": "while ({0}) {{",
        "up": "for my {name} ({0:A} .. {2:A}) {{",
        "down": "for my {name} (reverse {2:A} .. {0:A}) {{",
        "each": "for my {name} (@{{{0}}}) {{",
        "each:str": "for my {name} (split //, {0}) {{",
        "end": "}}",
    }
    helpers: ClassVar = {
        "min_of": "sub min_of {\n    my ($left, $right) = @_;\n    return $left < $right ? $left : $right;\n}\n",
        "max_of": "sub max_of {\n    my ($left, $right) = @_;\n    return $left > $right ? $left : $right;\n}\n",
        "floor_div": """\
sub floor_div {
    my ($number, $by) = @_;
    my $rest = $number % $by;
    use integer;
    return ($number - $rest) / $by;
}
""",
        "sorted_numbers": """\
sub sorted_numbers {
    my ($numbers) = @_;
    return [sort { $a <=> $b } @$numbers];
}
""",
        "has_number": """\
sub has_number {
    my ($numbers, $wanted) = @_;
    return scalar(grep { $_ == $wanted } @$numbers) > 0;
}
""",
        "has_text": """\
sub has_text {
    my ($texts, $wanted) = @_;
    return scalar(grep { $_ eq $wanted } @$texts) > 0;
}
""",
        "read_line": "sub read_line {\n    my $line = <STDIN>;\n    chomp $line;\n    return $line;\n}\n",
        "read_word": """\
my @words = split ' ', join('', <STDIN>);

sub read_word {
    return shift @words;
}
""",
    }
    helpers_of_lines: ClassVar = {
        "read_word": """\
my @words;

sub read_word {
    @words = split ' ', read_line() while !@words;
    return shift @words;
}
""",
    }

    def head(self) -> list[str]:
        first = ["use strict;", "use warnings;", "no warnings 'recursion';", "use feature 'say';", ""]
        return [*first, *self.helper_lines()]

    def write_function(self, function: Function) -> None:
        given = ", ".join(f"${self.names[name]}" for name, _ in function.parameters)
        with self.page.inside(f"sub {self.names[function.name]} {{", "}"):
            if given:
                self.page.write(f"my ({given}) = @_;")
            self.block(function.body, (function.name,))
        self.page.write("")

    def write_main(self, body: Block) -> None:
        self.block(body, ("",))

    def name(self, name: str) -> str:
        is_function = any(each.name == name for each in self.program.functions)
        return self.names[name] if is_function else f"${self.names[name]}"

    def break_(self) -> None:
        self.page.write("last;")

    def continue_(self) -> None:
        self.page.write("next;")

    def print(self, values: Sequence[Expression]) -> None:
        parts = [f"@{{{self.e(value)}}}" if value.type.kind == "list" else self.printed(value) for value in values]
        if len(values) == 1 and values[0].type.kind != "list":
            self.page.write(f"say({parts[0]});")
        else:
            self.page.write(f"say(join(' ', {', '.join(parts)}));" if parts else "say('');")

    def printed(self, value: Expression) -> str:
        return f"({self.e(value, OR)} ? 1 : 0)" if value.type == BOOL else self.e(value)

    # -- expressions ----------------------------------------------------------------------------

    def truth(self, value: bool) -> str:
        return "1" if value else "0"

    def text(self, value: str) -> str:
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"

    def operation(self, value: Operation) -> Made:
        left, right = value.left, value.right
        if value.operator == "//":
            return f"{self.helper('floor_div')}({self.e(left)}, {self.e(right)})", CALLED
        if value.operator in _COMPARISONS and left.type == STR:
            symbol = _COMPARISONS[value.operator]
            return f"{self.e(left, COMPARE + 1)} {symbol} {self.e(right, COMPARE + 1)}", COMPARE
        if value.operator in ("==", "!=") and left.type == BOOL:
            return f"!{self.e(left, CALLED)} {value.operator} !{self.e(right, CALLED)}", COMPARE
        return super().operation(value)

    def pick(self, value: Pick) -> Made:
        condition, then = self.e(value.condition, OR), self.e(value.then, OR)
        return f"{condition} ? {then} : {self.e(value.otherwise, PICK)}", PICK

    def item(self, of: Expression, index: Expression) -> Made:
        back = from_end(of, index)
        at = str(-back) if back else self.e(index)
        if of.type == STR:
            return f"substr({self.e(of)}, {at}, 1)", CALLED
        return f"{self.e(of, CALLED)}->" + (f"{{{at}}}" if of.type.kind == "map" else f"[{at}]"), CALLED

    def items(self, value: Items) -> Made:
        return f"[{', '.join(self.e(each) for each in value.items)}]", ATOM

    def new_map(self, value: NewMap) -> Made:
        return "{}", ATOM

    def read(self, value: Read) -> Made:
        one = value.reader.removesuffix("s")
        text, level = f"{self.helper('read_line' if one == 'line' else 'read_word')}()", CALLED
        if one in ("int", "row"):
            text, level = f"0 + {text}", ADD
        for size in reversed(value.sizes):
            text, level = f"[map {{ {text} }} 1 .. {self.e(size, CALLED)}]", ATOM
        return text, level

    def use(self, value: Use) -> Made:
        match value:
            case Use("slice", (of, start, end)):
                if of.type == STR:
                    size = Operation("-", end, start, end.type) if not is_zero(start) else end
                    return f"substr({self.e(of)}, {self.e(start)}, {self.e(size)})", CALLED
                return f"[@{{{self.e(of)}}}[{self.e(start, ADD)} .. {self.e(moved(end, -1), ADD)}]]", ATOM
            case Use("grid", (_, rows, columns)) if is_zero(columns):
                return f"[map {{ [] }} 1 .. {self.e(rows, CALLED)}]", ATOM
            case Use("keys", (of,)) if of.type.of[0].kind == "int":
                return f"{self.helper('sorted_numbers')}([keys %{{{self.e(of)}}}])", CALLED
        return super().use(value)
