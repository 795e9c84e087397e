"""Who acts and who learns: policies, rollouts, losses and the trainer."""
