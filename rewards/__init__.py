"""What it was worth: verdicts, trajectories, step rewards and credit."""
