"""How an interpreter of the machine becomes a Python program that is given as source."""

# Runs in names of its own. The source comes as descriptor 3, which the program does not see any more; a
# traceback quotes it, and shows none of this.
BOOT = """
import sys
with open(3, "rb") as file:
    source = file.read()
sys.argv[0] = "<program>"
import __main__
try:
    exec(compile(source, "<program>", "exec"), vars(__main__))
except SystemExit:
    raise
except BaseException as error:
    if sys.excepthook is not sys.__excepthook__ or isinstance(error, KeyboardInterrupt):
        raise
    import linecache, traceback
    text = source.decode("utf-8", "replace")
    linecache.cache["<program>"] = (len(text), None, text.splitlines(True), "<program>")
    trace = error.__traceback__ and error.__traceback__.tb_next
    traceback.print_exception(type(error), error.with_traceback(trace), trace)
    sys.exit(1)
"""
