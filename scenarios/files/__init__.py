"""What does a scenario say? Files and tables read, checked, and made into a market."""
