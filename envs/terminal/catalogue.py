"""All operators, by name: a line for each module of them."""

from collections.abc import Mapping
from itertools import chain
from typing import Final

from palestra.envs.terminal.operators import (
    data_check,
    data_convert,
    data_fixed,
    data_group,
    data_join,
    data_lines,
    data_settings,
    data_table,
    data_values,
    data_yaml,
    databases_dumps,
    databases_exports,
    databases_imports,
    databases_migrations,
    databases_repairs,
    databases_reports,
    databases_views,
    files_archives,
    files_checksums,
    files_dates,
    files_duplicates,
    files_encodings,
    files_find,
    files_layout,
    files_modes,
    files_parts,
    files_rename,
    logs_access,
    logs_records,
    logs_rotate,
    logs_spans,
    logs_text,
    logs_time,
    scripting_branches,
    scripting_history,
)
from palestra.envs.terminal.step import Operator

_MODULES: Final[tuple[tuple[Operator, ...], ...]] = (
    # files
    files_archives.OPERATORS,
    files_checksums.OPERATORS,
    files_dates.OPERATORS,
    files_duplicates.OPERATORS,
    files_encodings.OPERATORS,
    files_find.OPERATORS,
    files_layout.OPERATORS,
    files_modes.OPERATORS,
    files_parts.OPERATORS,
    files_rename.OPERATORS,
    # logs, data
    data_group.OPERATORS,
    data_join.OPERATORS,
    data_table.OPERATORS,
    logs_access.OPERATORS,
    logs_rotate.OPERATORS,
    logs_spans.OPERATORS,
    logs_text.OPERATORS,
    logs_time.OPERATORS,
    data_convert.OPERATORS,
    data_settings.OPERATORS,
    data_check.OPERATORS,
    data_lines.OPERATORS,
    data_fixed.OPERATORS,
    data_values.OPERATORS,
    logs_records.OPERATORS,
    data_yaml.OPERATORS,
    # scripting, databases
    databases_dumps.OPERATORS,
    databases_exports.OPERATORS,
    databases_imports.OPERATORS,
    databases_migrations.OPERATORS,
    databases_repairs.OPERATORS,
    databases_reports.OPERATORS,
    databases_views.OPERATORS,
    scripting_branches.OPERATORS,
    scripting_history.OPERATORS,
)

OPERATORS: Final[Mapping[str, Operator]] = {one.name: one for one in chain(*_MODULES)}
REPAIRS: Final = frozenset(  # operators whose start is broken, and whose step mends it
    {"databases_repairs", "scripting_git_restores", "scripting_git_undoes", "scripting_git_secrets"}
)
