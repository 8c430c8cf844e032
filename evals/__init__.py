"""The bench: tasks, metrics, statistics, the verdict, the runner and the run folder. No torch here."""
