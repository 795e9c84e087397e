"""The terminal sandbox of gVisor: a machine whose snapshots hold its running processes."""
