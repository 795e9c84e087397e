"""The gVisor backend: each program under a kernel of its own, by `runsc`, on a workspace that a slot holds."""
