"""The numbers of the Linux system calls that sandboxes make or refuse, by machine."""

import os

MACHINES = ("x86_64", "aarch64")

# Where one number stands, both machines share it; None means that the machine has no such call.
_NUMBERS: dict[str, int | tuple[int | None, int | None]] = {
    "acct": (163, 89),
    "add_key": (248, 217),
    "adjtimex": (159, 171),
    "bpf": (321, 280),
    "capset": (126, 91),
    "chroot": (161, 51),
    "clock_adjtime": (305, 266),
    "clock_settime": (227, 112),
    "clone": (56, 220),
    "clone3": 435,
    "delete_module": (176, 106),
    "fanotify_init": (300, 262),
    "finit_module": (313, 273),
    "fsconfig": 431,
    "fsmount": 432,
    "fsopen": 430,
    "fspick": 433,
    "init_module": (175, 105),
    "io_uring_enter": 426,
    "io_uring_register": 427,
    "io_uring_setup": 425,
    "ioctl": (16, 29),
    "ioperm": (173, None),
    "iopl": (172, None),
    "kcmp": (312, 272),
    "kexec_file_load": (320, 294),
    "kexec_load": (246, 104),
    "keyctl": (250, 219),
    "lookup_dcookie": (212, 18),
    "mbind": (237, 235),
    "memfd_secret": 447,
    "migrate_pages": (256, 238),
    "modify_ldt": (154, None),
    "mount": (165, 40),
    "mount_setattr": 442,
    "move_mount": 429,
    "move_pages": (279, 239),
    "name_to_handle_at": (303, 264),
    "nfsservctl": (180, 42),
    "open_by_handle_at": (304, 265),
    "open_tree": 428,
    "perf_event_open": (298, 241),
    "personality": (135, 92),
    "pidfd_getfd": 438,
    "pivot_root": (155, 41),
    "prlimit64": (302, 261),
    "process_madvise": 440,
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "ptrace": (101, 117),
    "quotactl": (179, 60),
    "quotactl_fd": 443,
    "reboot": (169, 142),
    "request_key": (249, 218),
    "seccomp": (317, 277),
    "set_mempolicy": (238, 237),
    "set_mempolicy_home_node": 450,
    "setdomainname": (171, 162),
    "sethostname": (170, 161),
    "setns": (308, 268),
    "settimeofday": (164, 170),
    "socket": (41, 198),
    "socketpair": (53, 199),
    "swapoff": (168, 225),
    "swapon": (167, 224),
    "syslog": (103, 116),
    "umount2": (166, 39),
    "unshare": (272, 97),
    "userfaultfd": (323, 282),
    "uselib": (134, None),
    "vhangup": (153, 58),
}

NEWEST_KNOWN = 466  # calls above it were not judged; both machines number new calls alike


def machine() -> str:
    """Return this machine's name.

    Raises:
        OSError: its system calls are not in the table.
    """
    name = os.uname().machine
    if name not in MACHINES:
        raise OSError(f"no system call table for machine {name!r}; known: {', '.join(MACHINES)}")
    return name


def number(call: str, machine_name: str) -> int | None:
    """Return a system call's number on a machine, or None where the machine lacks it."""
    entry = _NUMBERS[call]
    return entry if isinstance(entry, int) else entry[MACHINES.index(machine_name)]
