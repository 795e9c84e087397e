"""The native backend: namespaces, cgroups and seccomp by ctypes; no daemon and nothing to install."""
