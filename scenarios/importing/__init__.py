"""How does a network of another tool become a scenario, and is it still the same network?"""
