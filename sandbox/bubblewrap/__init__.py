"""The bubblewrap backend: each program by Debian's `bwrap`, on a workspace that a slot of our own holds."""
