"""What happens when a scenario is run, and what is left of it on the screen and on disk?"""
