"""The conformance suite notices every broken law: it is run on backends that each break one."""

import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow  # most of it is waiting for what a broken backend never does

FLAWS = {
    "ExitCodeLost": "test_exit_codes_of_python[raise SystemExit(7)-7]",
    "SignalAsExitCode": "test_a_signal_is_told_apart_from_an_exit_code[9]",
    "OutputAsText": "test_output_is_bytes_and_kept_apart",
    "StreamsMixed": "test_output_is_bytes_and_kept_apart",
    "ErrorsDropped": "test_many_errors_are_cut_too",
    "CutInSilence": "test_ten_megabytes_of_output_are_cut_and_the_program_goes_on",
    "TimeOutUntold": "test_the_wall_clock_ends_a_program[asleep]",
    "UsageUntold": "test_usage_is_reported",
    "ShortageUntold": "test_memory_is_counted_over_the_whole_tree",
    "OutputUnbounded": "test_output_is_cut_at_the_limit_exactly[65537]",
    "OutputWaitedFor": "test_output_before_a_timeout_is_kept",
    "MissingCommandIsFault": "test_exit_codes_of_commands[words4-127]",
    "AnythingIsACommand": "test_commands_that_make_no_sense_are_refused[ls -l]",
    "InputDropped": "test_input_by_lines",
    "InputAsText": "test_input_is_bytes",
    "InputKept": "test_input_of_one_program_is_not_the_next_ones",
    "HostEnvironment": "test_the_environment_is_what_was_given",
    "VariablesForgotten": "test_the_environment_is_what_was_given",
    "WordsSplitAgain": "test_arguments_arrive_as_they_were",
    "AnotherFolder": "test_programs_start_in_the_workspace_and_share_it",
    "FrozenClock": "test_the_clock_is_real",
    "FileUnbounded": "test_one_file_cannot_grow_beyond_its_limit",
    "MemoryUnbounded": "test_a_process_cannot_have_more_memory_than_its_limit",
    "ProcessesUnbounded": "test_a_fork_bomb_stops_at_the_limit",
    "DescriptorsUnbounded": "test_descriptors_run_out",
    "DiskUnbounded": "test_more_than_the_disk_limit_is_refused",
    "SpecsTimeIgnored": "test_the_wall_clock_of_the_spec_counts",
    "Survivors": "test_no_process_outlives_its_program[exit]",
    "OneAfterTheOther": "test_two_programs_run_at_once",
    "WriteAppends": "test_what_is_written_is_read[plain]",
    "LinksFollowed": "test_what_is_no_regular_file_is_refused",
    "LinksDownloaded": "test_a_download_of_a_link_reaches_nothing",
    "ReadUnbounded": "test_reading_has_a_limit",
    "CollectedByThePrograms": "test_a_folder_is_collected_with_all_that_it_holds",
    "CollectUnbounded": "test_what_cannot_be_collected_is_refused",
    "ModesLost": "test_a_write_keeps_the_permissions",
    "UploadModesLost": "test_an_upload_keeps_the_permissions",
    "DownloadRunnable": "test_a_download_has_the_permissions_of_any_new_file",
    "NamesChanged": "test_what_is_written_is_read[newline]",
    "MissingUntyped": "test_missing_files_say_so",
    "ParentsLeft": "test_paths_that_name_no_file_are_refused[../x]",
    "NewFilesStay": "test_restore_brings_everything_back",
    "TimesLost": "test_restore_keeps_file_identities_and_times",
    "ModesNotRestored": "test_restore_brings_everything_back",
    "LinksSplit": "test_restore_keeps_file_identities_and_times",
    "SnapshotChanges": "test_restore_brings_everything_back",
    "SnapshotOfLater": "test_a_snapshot_is_of_its_moment",
    "DigestOfNothing": "test_different_workspaces_have_different_digests[rm file]",
    "DigestOfTheMoment": "test_equal_workspaces_have_equal_digests",
    "DamageAccepted": "test_a_damaged_snapshot_is_refused[content]",
    "ForkShared": "test_forks_are_independent_in_both_directions",
    "ForkForgetsVariables": "test_a_fork_outlives_its_parent",
    "ClosedOnce": "test_closing_twice_is_fine",
    "NeverClosed": "test_using_a_closed_sandbox_is_refused[exec]",
    "DescriptorKept": "test_nothing_is_left_behind",
    "FolderKept": "test_nothing_is_left_behind",
    "ProcessKept": "test_nothing_is_left_behind",
    "NotEmpty": "test_a_new_sandbox_is_empty",
    "OneForAll": "test_two_sandboxes_see_nothing_of_each_other",
    "FaultUntyped": "test_a_killed_process_is_a_fault_or_is_not_noticed",
    "FaultAsResult": "test_a_kill_during_a_program_is_told_before_its_time_is_up",
    "NeedsIgnored": "test_what_is_claimed_can_be_asked_for_and_the_rest_is_refused_by_name[process_snapshot]",
    "RefusalUnnamed": "test_every_missing_need_is_named",
    "RefusalRetryable": "test_what_is_claimed_can_be_asked_for_and_the_rest_is_refused_by_name[process_snapshot]",
    "MindChanged": "test_probing_twice_gives_the_same",
    "LimitsUnchecked": "test_a_limit_that_makes_no_sense_is_named_with_its_value[wall_s-0]",
    "LimitsUnnamed": "test_a_limit_that_makes_no_sense_is_named_with_its_value[processes-1.5]",
    "ImageIgnored": "test_an_image_that_can_be_no_name_is_named[../../etc]",
    "Claims.network_off": "test_battery[no_host_loopback]",
    "Claims.read_only_root": "test_battery[no_host_file]",
    "Claims.pid_hidden": "test_battery[no_foreign_process]",
    "Claims.socket_families": "test_battery[no_foreign_socket]",
    "Claims.syscall_filter": "test_battery[no_namespace]",
    "Claims.memory_tree": "test_memory_is_counted_over_the_whole_tree",
}
"""Each broken backend, and the law that must fail on it."""

TERMINAL_FLAWS = {
    "EchoingShell": "test_a_line_has_its_output_and_its_exit_code[echo]",
    "CodeUntoldShell": "test_a_line_has_its_output_and_its_exit_code[exit code]",
    "CutUntoldShell": "test_much_output_is_cut_and_the_prompt_comes_back",
    "PromptBelievedShell": "test_fake_prompts_mislead_nobody",
    "ForgetfulShell": "test_the_shell_remembers",
    "ImpatientShell": "test_waiting_goes_on",
    "DeafShell": "test_the_end_of_input_at_the_prompt_ends_the_shell",
    "ShapelessShell": "test_the_window_has_the_size_that_it_is_given",
    "ClingingShell": "test_a_closed_shell_is_hung_up_and_another_is_started",
    "LostInSilence": "test_a_snapshot_does_not_lose_processes_silently",
    "NothingIsEnded": "test_a_snapshot_does_not_lose_processes_silently",
    "ShellStateLost": "test_the_shells_state_is_restored",
    "DaemonsSurvive": "test_restore_ends_every_process",
    "OnlyTheWorkspaceIsRestored": "test_the_whole_machine_is_restored",
    "ForkWithoutShell": "test_a_fork_has_the_shell_and_goes_its_own_way",
    "WhatIsLeftLives": "test_what_a_program_left_is_dead_afterwards",
    "WorkspaceOnly": "test_files_cross_by_absolute_path",
    "LinksInTheMachine": "test_files_that_are_none_or_lie_behind_a_link_are_refused[/link/passwd]",
    "PileForgotten": "test_snapshots_may_be_piled_up",
    "ProcessesClaimed": "test_what_runs_goes_on_beside_a_snapshot",
}
"""The same of terminal sandboxes."""

_SUITE = """
from palestra.sandbox.conformance import {conformance}
from tests.sandbox.broken.backends import make

for number, name in enumerate({names!r}):
    def make_backend(self, name=name):
        return make(name)
    globals()[f"Test{{number}}"] = type(f"Test{{number}}", ({conformance},), {{"make_backend": make_backend}})
"""


def run_suite(folder: Path, conformance: str, names: list[str], laws: list[list[str]]) -> list[dict[str, str]]:
    """Run some laws on each backend in a pytest of its own; return "passed", "failure" or "error" by law."""
    (folder / "test_suite.py").write_text(_SUITE.format(names=names, conformance=conformance))
    wanted = [f"test_suite.py::Test{number}::{law}" for number, some in enumerate(laws) for law in some]
    paths = [str(Path(__file__).parents[2]), *sys.path]
    options = ["-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--tb=short", "--junitxml=told.xml", "-W", "error"]
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", *options, *wanted],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        text=True,
    )
    told: list[dict[str, str]] = [{} for _ in names]
    for case in ElementTree.parse(folder / "told.xml").iter("testcase"):
        kinds = [kind for kind in ("failure", "error", "skipped") if case.find(kind) is not None]
        number = int(str(case.get("classname")).rpartition("Test")[2])
        # A second entry is about the end of the first, when the sandbox is closed.
        told[number].setdefault(str(case.get("name")), kinds[0] if kinds else "passed")
    assert sum(map(len, told)) == len(wanted), ran.stdout[-3000:] + ran.stderr[-3000:]
    return told


def verdicts(folder: Path, conformance: str, flaws: dict[str, str]) -> dict[str, str]:
    """Return the suite's verdict on each flaw, and on an honest backend, under "Honest: LAW"."""
    laws = list(dict.fromkeys(flaws.values()))
    honest, *broken = run_suite(folder, conformance, ["Honest", *flaws], [laws, *([law] for law in flaws.values())])
    told = {f"Honest: {law}": verdict for law, verdict in honest.items()}
    return told | {name: found[law] for (name, law), found in zip(flaws.items(), broken, strict=True)}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the suite says of the sandboxes."""
    return verdicts(tmp_path_factory.mktemp("broken"), "SandboxConformance", FLAWS)


@pytest.fixture(scope="module")
def told_of_terminals(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the suite says of the terminal sandboxes."""
    return verdicts(tmp_path_factory.mktemp("broken-terminals"), "TerminalConformance", TERMINAL_FLAWS)


@pytest.mark.parametrize("name", FLAWS)
def test_a_broken_law_is_noticed(told: dict[str, str], name: str) -> None:
    assert told[name] == "failure"


@pytest.mark.parametrize("law", dict.fromkeys(FLAWS.values()))
def test_an_honest_backend_keeps_the_same_laws(told: dict[str, str], law: str) -> None:
    assert told[f"Honest: {law}"] == "passed"


@pytest.mark.parametrize("name", TERMINAL_FLAWS)
def test_a_broken_law_of_terminals_is_noticed(told_of_terminals: dict[str, str], name: str) -> None:
    assert told_of_terminals[name] == "failure"


@pytest.mark.parametrize("law", dict.fromkeys(TERMINAL_FLAWS.values()))
def test_an_honest_terminal_keeps_the_same_laws(told_of_terminals: dict[str, str], law: str) -> None:
    assert told_of_terminals[f"Honest: {law}"] == "passed"
