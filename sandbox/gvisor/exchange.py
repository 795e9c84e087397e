"""The files by which a container's init and the server outside speak."""

FOLDER = "/run"  # in a container; its root's only
PROGRAM, REPORT = "program", "report"
