"""How do results follow from the values of a scenario? A grid of runs, one table of them, one plot."""
