"""What an agent acts in: tasks, episodes, the families and the registry."""
