"""What judging a program costs beside running it with no isolation at all, and how often the judge is wrong.

The figures are those of `code_judge` and `code_corpora`.

    python benchmarks/code.py [--quick] [--json]

The standard library has a module of this name, which this file hides from the benchmarks beside it: whoever
imports `code` gets that one.
"""

import sysconfig
from pathlib import Path

if __name__ == "__main__":
    import code_judge

    code_judge.main()
else:
    _hidden = Path(sysconfig.get_path("stdlib"), "code.py")
    exec(compile(_hidden.read_text(encoding="utf-8"), str(_hidden), "exec"))
