"""The native terminal sandbox: one machine to work in, with layers that snapshots and forks share."""
